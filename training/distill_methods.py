"""Three ways from a teacher to a few-step student, each one step on a batch: backward passes and optimisers included.

Every function takes the run (distill.Run: student, teacher, helper networks, optimisers) and a batch, and hands back
the parts of its loss. Conditions and masks are those of the training sampler, so every kind of constraint is distilled.
"""

import torch

from blender_motiondiff.core.denoiser.layout import PATCH, token_distance
from blender_motiondiff.core.diffusion.schedule import STEPS, alpha_bar
from blender_motiondiff.core.features import CONTACTS, ROTATIONS, SIZE
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.skeleton import FEET as FEET_JOINTS

from . import losses
from .distill_critic import convincing, critic_loss, seen
from .distill_table import call
from .variety import quiet

GRID = 10  # steps of the teacher from pure noise to clean motion (MotionLCM's second version)
HUBER = 0.1  # spreads: where the consistency loss turns from squared to absolute
TOKENS = 360  # of all takes of a kind (singles, couples) in a step
TAKES = 3  # made of each window: the first take, whose noise has no slow part, and others
LATER = 0.25  # share of the windows that start from a noised recording, so that further steps work
LATER_STEPS = (12.5, 25.0, 37.5)  # of the schedule: those of 4, and of 2, consistency steps
FEET = 6.0  # weight of the standing feet of all takes, m/s
SHARPNESS = 0.5  # the critic's gradient against that of all other losses
SMOOTH_EVERY = 4  # steps: the critic's penalty costs as much as everything else about it
SCORES = 1.0  # the score difference's gradient against that of all other losses
CHANNEL_WEIGHTS = losses.channel_weights(SIZE)


def some_windows(batch, count, generator):
    """`count` windows of a batch, drawn at random."""
    rows = torch.randperm(len(batch.target), generator=generator)[:count]
    return type(batch)(*(v[rows] for v in vars(batch).values()))


def repeated(batch, takes):
    """Every window `takes` times, take after take."""
    return type(batch)(*(v.repeat(takes, *[1] * (v.ndim - 1)) for v in vars(batch).values()))


def windows_for(batch, takes):
    """How many windows make TOKENS tokens, each made `takes` times."""
    _, persons, frames, _ = batch.target.shape
    return max(2, TOKENS // (takes * persons * (frames // PATCH)))


def noised(clean, step, noise):
    """(noisy residuals, level) of clean ones at real-valued steps `(B,)` of the schedule."""
    share = torch.from_numpy(alpha_bar(step.numpy())).float()
    a = share[:, None, None, None]
    return a.sqrt() * clean + (1 - a).sqrt() * noise, share.sqrt()


def normal(batch, generator):
    """Standard normal numbers where nothing is observed."""
    return torch.randn(batch.target.shape, generator=generator) * (1 - batch.mask)


def huber(error, free):
    """Pseudo-Huber loss over what is free (Song & Dhariwal 2023; LCM, equation 12 of its implementation)."""
    return (((error**2 + HUBER**2).sqrt() - HUBER) * free).sum() / free.sum().clamp(min=1)


# --- consistency distillation -----------------------------------------------------------------------------------------


def consistency(run, batch):
    """LCM (Luo et al. 2023): the student's answers at two neighbouring points of the teacher's path are made equal."""
    batch = some_windows(batch, windows_for(batch, 1), run.generator)
    free, skip = 1 - batch.mask, STEPS / GRID
    now = skip * torch.randint(1, GRID + 1, (len(free),), generator=run.generator)
    noisy, level = noised(batch.target, now, normal(batch, run.generator))
    with torch.no_grad():
        clean = call(run.teacher, noisy, batch, level)
        then = torch.from_numpy(alpha_bar((now - skip).numpy())).float()[:, None, None, None]
        here = level[:, None, None, None]
        noise = (noisy - here * clean) / (1 - here**2).sqrt()
        earlier = then.sqrt() * clean + (1 - then).sqrt() * noise
        wanted = call(run.average, earlier, batch, then[:, 0, 0, 0].sqrt())
        wanted = torch.where(then > 0.999, clean, wanted)
    error = (call(run.student, noisy, batch, level) - wanted) * CHANNEL_WEIGHTS
    loss = huber(error, free) + 2 * torch.diff(error, dim=2).abs().mul(free[:, :, 1:]).sum() / free.sum().clamp(min=1)
    loss.backward()
    return {"consistency": float(loss.detach())}


# --- what the one-step methods share ----------------------------------------------------------------------------------


def spatial(batch, residual):
    """(features, joints in the world) of residuals, the joints from the rotations, as the product decodes them."""
    features = batch.base + batch.spread * residual
    places = losses.kinematics(features[..., ROTATIONS], batch.offsets)
    return features, losses.to_world(places, features, batch.place, batch.heading)


def standing_feet(batch, features, world):
    """Mean speed (m/s) of the feet in the frames where they stand, one a window `(B,)`.

    Planned contacts say where; else the answer's own do, held fixed: another take may stand elsewhere.
    """
    own = features[..., CONTACTS].detach().clamp(0, 1).round()
    stands = torch.where(batch.mask[..., CONTACTS] > 0, batch.contacts, own)
    stands = stands[:, :, 1:] * stands[:, :, :-1]
    speed = world[..., list(FEET_JOINTS), :].diff(dim=2).norm(dim=-1) * FPS
    return (speed * stands).sum((1, 2, 3)) / stands.sum((1, 2, 3)).clamp(min=4)


def blend(residual, loss, gradient, share):
    """Goes back from a loss and a further gradient on the answer, whose size is set to `share` of the loss' own."""
    (own,) = torch.autograd.grad(loss, residual, retain_graph=True)
    residual.backward(own + share * own.norm() / gradient.norm().clamp(min=1e-12) * gradient)


def made_takes(run, batch):
    """(batch with TAKES takes of some windows, the student's answers): from pure noise, a few from noised recordings.

    The first take of every window comes from noise without a slow part, as the product's first take does.
    """
    few = some_windows(batch, windows_for(batch, TAKES), run.generator)
    count = len(few.target)
    step = torch.full((count,), float(STEPS))
    later = torch.rand(count, generator=run.generator) < LATER
    step[later] = torch.tensor(LATER_STEPS)[
        torch.randint(len(LATER_STEPS), (int(later.sum()),), generator=run.generator)
    ]
    many = repeated(few, TAKES)
    first = torch.cat([(~later).float(), torch.zeros(count * (TAKES - 1))])
    noise = torch.randn(many.target.shape, generator=run.generator)
    noise = quiet(noise, first, run.student, torch.from_numpy(token_distance(noise.shape[2])))
    noisy, level = noised(many.target, step.repeat(TAKES), noise * (1 - many.mask))
    return many, call(run.student, noisy, many, level)


def nearest_rows(world, true):
    """Rows `(2 * windows,)` of every window's first take and of the nearest to the recording of its other takes."""
    distance = (world.detach() - true).norm(dim=-1).mean((1, 2, 3)).reshape(TAKES, -1)
    count = distance.shape[1]
    windows = torch.arange(count)
    return torch.stack([windows, count * (1 + distance[1:].argmin(0)) + windows], 1).flatten()


def against_recording(batch, residual):
    """(loss, features, joints, the recording's joints): training's losses of the first and the nearest other take.

    The feet of all takes count: where contacts are planned or, by its own word, a take stands.
    """
    features, world = spatial(batch, residual)
    count = len(residual) // TAKES
    with torch.no_grad():
        _, true = spatial(type(batch)(*(v[:count] for v in vars(batch).values())), batch.target[:count])
        true = true.repeat(TAKES, 1, 1, 1, 1)
    rows = nearest_rows(world, true)
    chosen = type(batch)(*(v[rows] for v in vars(batch).values()))
    loss, _ = losses.total(residual[rows], chosen, CHANNEL_WEIGHTS)
    return loss + FEET * standing_feet(batch, features, world).mean(), features, world, true


# --- sharpening by a critic -------------------------------------------------------------------------------------------


def sharpen(run, batch):
    """The first and the nearest of other takes are drawn to the recording (as in training); a critic keeps all sharp.

    The critic sees takes and recordings of the same windows. Its pull on an answer is set relative to that of the
    errors, so that neither drowns the other.
    """
    batch, residual = made_takes(run, batch)
    loss, features, world, true = against_recording(batch, residual)
    chosen = batch.mask.flatten(2).min(-1).values < 1
    heading = batch.heading[chosen]
    fake = seen(world[chosen], heading, features[..., CONTACTS][chosen])
    recorded = len(batch.target) // TAKES
    first = chosen[:recorded]
    sight = seen(true[:recorded][first], batch.heading[:recorded][first], batch.contacts[:recorded][first])
    (pull,) = torch.autograd.grad(convincing(run.helper, fake), residual, retain_graph=True)
    blend(residual, loss, pull, SHARPNESS * run.helper_share)
    run.helper_opt.zero_grad(set_to_none=True)
    found = critic_loss(run.helper, sight, fake, smooth=run.step % SMOOTH_EVERY == 0)
    found.backward()
    run.helper_opt.step()
    return {"error": float(loss.detach()), "critic": float(found.detach())}


# --- variational score distillation -----------------------------------------------------------------------------------


def one_step(run, batch):
    """SwiftBrush (Nguyen & Tran 2024) on the student's takes, its second network trained beside it; errors anchor it.

    The pull is the difference of two estimates of the same noised take: the second network's, which knows what the
    student makes, and the teacher's, which knows what was recorded; divided by its size a window (DMD, equation 8).
    """
    batch, residual = made_takes(run, batch)
    free = 1 - batch.mask
    loss, _, _, _ = against_recording(batch, residual)
    own = residual.detach()
    step = STEPS * (0.02 + 0.96 * torch.rand(len(own), generator=run.generator))
    noisy, level = noised(own, step, normal(batch, run.generator))
    with torch.no_grad():
        taught, usual = call(run.teacher, noisy, batch, level), call(run.helper, noisy, batch, level)
    scale = ((own - taught).abs() * free).mean((1, 2, 3), keepdim=True).clamp(min=1e-3)
    blend(residual, loss, (usual - taught) * free / scale, SCORES * run.helper_share)
    step = STEPS * torch.rand(len(own), generator=run.generator)
    noisy, level = noised(own, step, normal(batch, run.generator))
    run.helper_opt.zero_grad(set_to_none=True)
    found = losses.residual(call(run.helper, noisy, batch, level), own, free, CHANNEL_WEIGHTS)
    found.backward()
    run.helper_opt.step()
    return {"error": float(loss.detach()), "second": float(found.detach())}


METHODS = {"consistency": consistency, "one_step": one_step, "sharpen": sharpen}
