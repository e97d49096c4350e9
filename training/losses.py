"""Losses, all relative to the spread expected at that place, so that no far-away channel drowns the rest."""

import torch

from blender_motiondiff.core.features import CONTACTS, POSITIONS, ROTATIONS, VELOCITIES
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.skeleton import COUNT, FEET, PARENTS

WEIGHTS = {
    "residual": 1.0,
    "kinematics": 0.5,
    "feet": 1.6,
    "lift": 0.5,
    "acceleration": 0.1,
    "place": 1.0,
    "distance": 0.4,
    "orientation": 0.2,
    "stance": 1.0,
}
STEPS_TOGETHER = 2.5  # times the weight of couples' feet: a partner's steps are uncertain, and the mean of steps glides
PELVIS = slice(0, 2)  # where somebody is: all joints are told from there, so that nothing else says it
CHANNELS = ((POSITIONS, 1.0), (PELVIS, 3.0), (VELOCITIES, 0.4), (ROTATIONS, 1.0), (CONTACTS, 1.0))
STOOD = 2.0  # times the weight of the height of feet that stand
CLOSER = 1.25  # times the weight of joints that are too close: a body inside another looks worse than one apart
NEAR = 0.35  # metres over which a pair of joints' weight in the distance map falls to 1/e: held hands count most


def channel_weights(size):
    """Weights of the feature channels `(268,)`, mean 1."""
    w = torch.ones(size)
    for part, value in CHANNELS:
        w[part] = value
    return w / w.mean()


def residual(predicted, target, free, weights, mix=None):
    """Squared + absolute + 2 x velocity of the normalised residual, over what is free; in a mix if there is one."""
    error = (predicted - target) * weights
    if mix is not None:
        error, free = (error * free) @ mix, torch.ones_like(free)
    change = torch.diff(error, dim=2)
    moving = free[:, :, 1:] * free[:, :, :-1]
    share = free.mean().clamp(min=1e-3)
    return ((error**2 * 0.5 + error.abs()) * free).mean() / share + 2 * (change.abs() * moving).mean() / share


def matrices(six):
    """6D rotations `(..., 6)` -> matrices `(..., 3, 3)`, columns orthonormal."""
    a = torch.nn.functional.normalize(six[..., :3], dim=-1)
    b = six[..., 3:]
    b = torch.nn.functional.normalize(b - (a * b).sum(-1, keepdim=True) * a, dim=-1)
    return torch.stack([a, b, torch.linalg.cross(a, b)], -1)


def kinematics(rotations, offsets):
    """Places relative to the pelvis `(B, P, T, 22, 3)` of 6D rotations `(B, P, T, 132)`, offsets `(B, P, 22, 3)`."""
    local = matrices(rotations.unflatten(-1, (COUNT, 6)))
    world, places = [local[..., 0, :, :]], [torch.zeros_like(local[..., 0, :, 0])]
    for j in range(1, COUNT):
        parent = int(PARENTS[j])
        step = (world[parent] @ offsets[:, :, None, j, :, None])[..., 0]
        places.append(places[parent] + step)
        world.append(world[parent] @ local[..., j, :, :])
    return torch.stack(places, -2)


def relative_joints(features):
    """Joint places relative to the pelvis `(B, P, T, 22, 3)` from features in their frames."""
    pos = features[..., POSITIONS].unflatten(-1, (COUNT, 3))
    height = pos[..., 2:] - pos[..., :1, 2:]
    flat = torch.cat([torch.zeros_like(pos[..., :1, :2]), pos[..., 1:, :2]], -2)
    return torch.cat([flat, height], -1)


def to_world(places, features, place, heading):
    """Joint places relative to the pelvis, in the frames -> world places, same shape."""
    pelvis = features[..., None, :3]
    local = places + pelvis
    cos, sin = heading.cos()[..., None], heading.sin()[..., None]
    x = cos * local[..., 0] - sin * local[..., 1] + place[..., None, 0]
    y = sin * local[..., 0] + cos * local[..., 1] + place[..., None, 1]
    return torch.stack([x, y, local[..., 2]], -1)


def lift(world, true_world, contacts):
    """Mean error (m) of the foot joints' height: centimetres tell a step from a shuffle, and drown among all joints.

    Standing ones count STOOD times as much: a foot that hangs over the ground on a leg too bent does not stand.
    """
    off = (world - true_world)[..., list(FEET), 2].abs()
    weight = 1.0 + (STOOD - 1.0) * contacts
    return (off * weight).sum() / weight.sum()


def place(answer, truth, free):
    """Mean error (m) of the pelvis over the ground, where it is `free`: as much as of all joints in world places."""
    free = free[..., 0]
    return ((answer - truth)[..., PELVIS].norm(dim=-1) * free).sum() / free.sum().clamp(min=1.0)


def acceleration(world, true_world):
    """Mean error of the joints' acceleration (m/s^2): where tokens don't join smoothly, or noise shines through."""
    return torch.diff(world - true_world, n=2, dim=2).norm(dim=-1).mean() * FPS**2


def feet(world, contacts):
    """Mean speed (m/s) of the foot joints in the frames where the recorded foot stands."""
    places = world[..., list(FEET), :]
    speed = torch.diff(places, dim=2).norm(dim=-1) * FPS
    stands = contacts[:, :, 1:] * contacts[:, :, :-1]
    return (speed * stands).sum() / stands.sum().clamp(min=1.0)


def distances(world, true_world):
    """Difference of the distance maps between the two persons' joints, weighted by nearness (InterGen, DM loss).

    InterGen counts the joints within a metre alike; of a couple's 484 distances the few of held hands would drown.
    Joints that are too close weigh CLOSER times as much as those too far apart.
    """

    def cross(w):
        return torch.cdist(w[:, 0, ::4].flatten(0, 1), w[:, 1, ::4].flatten(0, 1))

    true = cross(true_world)
    near = torch.exp(-true / NEAR)
    off = cross(world) - true
    return (torch.where(off < 0, -CLOSER * off, off) * near).sum() / near.sum().clamp(min=1.0)


def orientation(answer, truth, heading):
    """How differently the two persons are turned to each other (InterGen, RO loss), 0 to 2, in the mean over frames."""

    def between(features):
        ahead = -matrices(features[..., ROTATIONS][..., :6])[..., :2, 1]  # the rest pose faces -Y
        ahead = torch.nn.functional.normalize(ahead, dim=-1, eps=1e-3)
        cos, sin = heading.cos(), heading.sin()
        x, y = cos * ahead[..., 0] - sin * ahead[..., 1], sin * ahead[..., 0] + cos * ahead[..., 1]
        return torch.stack([x[:, 0] * x[:, 1] + y[:, 0] * y[:, 1], x[:, 0] * y[:, 1] - y[:, 0] * x[:, 1]], -1)

    return (between(answer) - between(truth)).norm(dim=-1).mean()


def stance(places, features, true_places, truth, mask):
    """How far a partner's feet are from where they are under the body (m), ahead and beside, in the mean of the window.

    `places (B, P, T, 22, 3)`: joints relative to the pelvis; who is wholly in the `mask (B, P, T, 268)` does not count.
    Where steps are uncertain `feet` is least with both under a point that turns little, which is towards the leader:
    without this couples' feet came 7 to 20 cm too far forward, and bodies leant back over them.
    """

    def under(places, features):
        ahead = -matrices(features[..., ROTATIONS][..., :6])[..., :2, 1]
        ahead = torch.nn.functional.normalize(ahead, dim=-1, eps=1e-3)[..., None, :]
        ankles = places[..., list(FEET[::2]), :2]
        aside = ankles[..., 0] * ahead[..., 1] - ankles[..., 1] * ahead[..., 0]
        return torch.stack([(ankles * ahead).sum(-1), aside], -1).mean(2)

    free = 1.0 - mask[..., ROTATIONS.start].amin(2)
    off = (under(places, features) - under(true_places, truth)).abs().sum(-1).mean(-1)
    return (off * free).sum() / free.sum().clamp(min=1.0)


def total(predicted, batch, weights, mix=None):
    """Weighted sum and its parts, of tensors shaped as in batches.Batch.

    The losses in space are taken over the first half of the windows: kinematics costs as much as the network.
    """
    parts = {"residual": residual(predicted, batch.target, 1.0 - batch.mask, weights, mix)}
    answer, truth = (batch.base + batch.spread * v for v in (predicted, batch.target))
    parts["place"] = place(answer, truth, 1.0 - batch.mask) / 0.2
    half = (len(predicted) + 1) // 2
    batch = type(batch)(*(v[:half] for v in vars(batch).values()))
    answer, truth = answer[:half], truth[:half]
    true_places = relative_joints(truth)
    from_rotations = kinematics(answer[..., ROTATIONS], batch.offsets)
    parts["kinematics"] = (from_rotations - true_places).norm(dim=-1).mean() / 0.1
    world = to_world(from_rotations, answer, batch.place, batch.heading)
    direct = to_world(relative_joints(answer), answer, batch.place, batch.heading)
    true_world = to_world(true_places, truth, batch.place, batch.heading)
    parts["feet"] = feet(world, batch.contacts) + feet(direct, batch.contacts)
    parts["acceleration"] = acceleration(world, true_world) / 10.0
    parts["lift"] = sum(lift(w, true_world, batch.contacts) for w in (world, direct)) / 0.03
    if answer.shape[1] == 2:
        parts["feet"] = STEPS_TOGETHER * parts["feet"]
        parts["distance"] = distances(world, true_world) / 0.1
        parts["orientation"] = orientation(answer, truth, batch.heading) / 0.2
        stood = from_rotations, relative_joints(answer)
        parts["stance"] = sum(stance(p, answer, true_places, truth, batch.mask) for p in stood) / 0.1
    return sum(WEIGHTS[k] * v for k, v in parts.items()), parts
