"""From world features to motions: what is kept comes back, paths are met, feet stand, hard constraints are exact."""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..cleanup.arms_beside import arms_out
from ..cleanup.contacts import label_contacts
from ..cleanup.foot_lock import lock_all_feet
from ..cleanup.kinematics import kinematics, kinematics_of_all, put_legs
from ..cleanup.low_hands import hands_up
from ..cleanup.plants import frames_from
from ..cleanup.two_bone_ik import solve_legs
from ..constraints import apart, collect, nearness
from ..constraints.footfalls import PINNED_LOW
from ..constraints.ground import heights_at as ground_heights
from ..constraints.holds import held
from ..constraints.rows import Poses
from ..constraints.trajectory import (
    heights_at,
    meet_path,
    meet_raw,
    meet_waypoints,
    meet_waypoints_smoothly,
    smooth_pelvis,
)
from ..motion import FPS, resample
from ..reference import PARTNER, PATH, smooth
from ..request import GIVEN, HARD
from ..skeleton import COUNT, FEET, INDEX, LEGS
from ..solve.goals import Problem, meet_all
from ..solve.ground import onto_terrain, straighter, too_high
from .answer import kept_share, motion_of
from .bound import EXACT, ROOT, arms_bound, frozen, level, movable, rooted
from .course import share_in_time, wanted_heading

# Metres over its rest height at which a swinging toe passes at least: recorded walks have medians of 0.05 to 0.10. An
# answer is an average of swings, and flatter than any of them.
SWING_CLEARANCE = 0.075
OFF_GROUND = 0.08  # metres over its rest height, for a leg of 0.85 m: a foot this high does not stand, whatever is said
HALF_TURNED = 0.3  # weight of a facing at which half of it is granted
BESIDE = 0.4  # seconds from a keyed or kept turn in which a wish is granted in full
TURNING = 0.15  # seconds over which a turn that is added is smoothed
SAME = 1e-6  # seconds


def finish_all(request, courses, features):
    """Of each take: motions in the shared frame, their Poses, contacts `[P, T, 4]` and the feet's reports.

    `courses`: one a take; `features [takes, P, T, 268]`: the network's answers in world features.
    """
    who = [(k, p) for k in range(len(courses)) for p, c in enumerate(request.characters) if not c.given]
    decoded = [motion_of(features[k, p], request.characters[p], courses[k].people[p], courses[k].times) for k, p in who]
    turned = [faced(motion, request, courses[k], p) for (k, p), (motion, _) in zip(who, decoded, strict=True)]
    stepped = [_stepped(request, c, {p: m for (j, p), m in zip(who, turned, strict=True) if j == k})
               for k, c in enumerate(courses)]  # fmt: skip
    seen = [_seen_at(stepped[k][2], p) for k, p in who]
    turned = [replace(m, root=m.root + sum(stepped[k][:2])[p]) for (k, p), m in zip(who, turned, strict=True)]
    people = [courses[k].people[p] for k, p in who]
    stood = _stand(request, [request.characters[p] for _, p in who], people, courses[0].times, turned,
                   [stands for _, stands in decoded], seen)  # fmt: skip
    made = dict(zip(who, stood, strict=True))
    ready = [_ready(request, course, [made.get((k, p)) for p in range(len(course.people))], stepped[k][1])
             for k, course in enumerate(courses)]  # fmt: skip
    solved = meet_all([problem for problem, _, _ in ready])
    return [(motions, poses, np.clip(contacts, 0.0, 1.0), feet)
            for (motions, _, poses), (_, contacts, feet) in zip(solved, ready, strict=True)]  # fmt: skip


def _stepped(request, course, generated):
    """Metres by which persons come near each other, and out of each other, before their feet stand: twice `[P, T, 3]`.

    And their Poses before, None of a person alone. `generated`: person -> Motion. Where a path or a key has the say
    nobody moves.
    """
    if len(request.characters) != 2:
        return *(np.zeros((2, len(request.characters), len(course.times), 3))), None
    motions = [generated.get(p, person.motion) for p, person in enumerate(course.people)]
    still = frozen(request, course)
    for p, (character, person) in enumerate(zip(request.characters, course.people, strict=True)):
        still[p, rooted(character, person), ROOT] = True
    free, yielding = apart.room(still)
    for p, (character, person) in enumerate(zip(request.characters, course.people, strict=True)):
        if person.target is not None:
            free[p] *= 1.0 - min(character.path.weight, 1.0)
    poses = poses_of(request, course, motions)
    given = [c.given for c in request.characters]
    near = nearness.approach(poses, free, request.contacts, request.spacings, given)
    nearer = replace(poses, places=poses.places + near[:, :, None])
    return near, apart.aside(nearer, free, yielding, request.contacts), poses


def _seen_at(poses, person):
    """Places `[T, 22, 3]` and world rotations `[T, 22, 4]` of one person in Poses; None without them."""
    return None if poses is None else (poses.places[person], poses.turns[person])


def _ready(request, course, stood, stepped):
    """What is left of one take for the solve to meet (a Problem), its contacts and its reports.

    `stood`: what `_stand` made, None of given ones; `stepped [P, T, 3]`: how far they stepped out of each other.
    """
    stood = list(stood)
    for p, (character, person) in enumerate(zip(request.characters, course.people, strict=True)):
        if character.given:
            poses = kinematics(person.motion)
            stands = label_contacts(poses[0], character.body, FPS).astype(float)
            stood[p] = replace(person.motion, fps=FPS), stands, None, poses
    motions, contacts, feet, poses = (list(part) for part in zip(*stood, strict=True))
    poses = [kinematics(m) if p is None else p for m, p in zip(motions, poses, strict=True)]
    sizes = np.array([c.body.size for c in request.characters])
    poses = Poses(course.times, *(np.stack(part) for part in zip(*poses, strict=True)), sizes)
    still = frozen(request, course)
    if len(motions) == 2:
        yielding = apart.room(still)[1]
        motions, poses = apart.give_way(motions, poses, yielding, stepped, request.contacts)
        if any(person.source == PARTNER for person in course.people):
            request = replace(request, contacts=request.contacts + held(poses, yielding, request))
    return Problem(list(motions), poses, _gather(request, course), still), contacts, feet


def _gather(request, course):
    """`gather(poses) -> Rows` of a take for the solve."""
    key_frames = [p.key_frames for p in course.people]
    # Wishes about facing are granted already, to whole bodies and before their feet stood.
    left = replace(request, facings=tuple(f for f in request.facings if np.isinf(f.weight)))
    # Rotations that are keyed exactly are frozen: how far they are from their keys stays as it is.
    keys = [k for c in request.characters for k in c.keys]
    still = all(k.tolerance == 0 and k.root is None and k.places is None for k in keys)
    keyed, listed = [], collect.constraints(left)

    def gather(poses):
        if still and not keyed:
            keyed.append(collect.gather_keys(left, poses, key_frames))
        return collect.gather(left, poses, key_frames, keyed=keyed[0] if still else None, listed=listed)

    return gather


def faced(motion, request, course, number):
    """The motion with its whole body turned towards what `facings` wish, as far as their weights go.

    Where the pelvis' turn is keyed or kept it stays, and the wish comes and goes beside it.
    """
    partner, character, person = course.people[-1 - number].place, request.characters[number], course.people[number]
    bound = kept_share(character, person)[:, 0] > EXACT
    bound[[f for f, k in zip(person.key_frames, character.keys, strict=True) if "pelvis" in k.joints]] = True
    free = np.clip(frames_from(bound) / (BESIDE * FPS), 0.0, 1.0) if bound.any() else 1.0
    for facing in request.facings:
        if facing.character == number:
            wanted = wanted_heading(facing.target, motion.root[:, :2], partner)
            off = (wanted - rot.heading(motion.rotations[:, 0]) + np.pi) % (2 * np.pi) - np.pi
            granted = 1.0 if np.isinf(facing.weight) else facing.weight / (facing.weight + HALF_TURNED)
            turn = smooth(rot.unwrap(off)[:, None], TURNING)[:, 0] * granted
            turn *= share_in_time(course.times, facing.start, facing.end) * free * free * (3 - 2 * free)
            rotations = motion.rotations.copy()
            rotations[:, 0] = rot.multiply(rot.about_z(turn), rotations[:, 0])
            motion = replace(motion, rotations=rotations)
    return motion


def _stand(request, characters, people, times, motions, stands, seen):
    """N generated persons on the ground, on their paths, through their keys.

    Each as (motion, contacts, the feet's report, the motion's places and world rotations or None).
    `characters`, `people`, `motions`, `stands` (contacts `[T, 4]`): one each, of one take or of several. `seen`: where
    the joints were when motions last had their rotations (see `_seen_at`), wherever their roots have gone since.
    """
    kept = [kept_share(c, p) for c, p in zip(characters, people, strict=True)]
    before, motions, on = motions, list(motions), [s > 0.5 for s in stands]
    for k, (character, person) in enumerate(zip(characters, people, strict=True)):
        restored = _restored(motions[k], person, kept[k])
        motions[k] = _on_path(restored, character, person, times, rooted(character, person))
    places, world = _posed(motions, before, seen)
    for k, (character, person) in enumerate(zip(characters, people, strict=True)):
        held = rooted(character, person) + list(np.flatnonzero(kept[k][:, 0] > EXACT))
        shift = too_high(places[k], character.body, FPS, on[k], held)
        places[k, :, :, 2] -= shift[:, None]
        motions[k] = _higher(motions[k], -shift)
        if _strides_freely(character, person):
            height = straighter(places[k], character.body, FPS, on[k]) * (1.0 - kept[k][:, 0])
            motions[k], places[k], world[k] = _raised(motions[k], height, places[k], world[k])
        arms = arms_bound(character, person, kept[k])
        motions[k] = arms_out(motions[k], places[k], world[k], arms)
        motions[k] = hands_up(motions[k], places[k], world[k], arms)
    parts = zip(places, before, seen, characters, on, strict=True)
    touching = [label_contacts(_as_if_unmoved(p, m, s), c.body, FPS) | o for p, m, s, c, o in parts]
    ground = None if request.ground is None else _height_of(request.ground)
    if ground is not None:
        motions = [onto_terrain(m, ground, t) for m, t in zip(motions, touching, strict=True)]
    lifts = [_lift_to_path(m, c, times) for m, c in zip(motions, characters, strict=True)]
    lifted = [k for k, lift in enumerate(lifts) if lift is not None]
    for k in lifted:
        motions[k] = _higher(motions[k], lifts[k])
        touching[k] &= _near_ground(motions[k], ground)
    poses = (places, world) if ground is None and not lifted else None
    reports, before, told = [None] * len(motions), motions, poses
    if request.cleanup:
        keeps = [movable(*about) for about in zip(characters, people, kept, strict=True)]
        height = [level(*about) for about in zip(characters, people, kept, strict=True)]
        pins = _foot_pins(characters, times, ground)
        motions, reports, told = lock_all_feet(motions, touching, keeps, SWING_CLEARANCE, ground, poses, height, pins)
    locked = list(motions)
    for k in lifted if request.cleanup else ():
        motions[k], *_ = _raised(motions[k], before[k].root[:, 2] - motions[k].root[:, 2], *kinematics(motions[k]))
    parts = zip(motions, characters, people, kept, strict=True)
    motions = [_untouched(m, c, p, share, times) for m, c, p, share in parts]
    poses = [(told[0][k], told[1][k]) if told and m is locked[k] else None for k, m in enumerate(motions)]
    return list(zip(motions, stands, reports, poses, strict=True))


def _posed(motions, before, seen):
    """Places `[N, T, 22, 3]` and world rotations `[N, T, 22, 4]` of motions.

    One that still has the rotations of the motion `before` has only gone elsewhere since it was `seen`.
    """
    fresh = [k for k, m in enumerate(motions) if seen[k] is None or m.rotations is not before[k].rotations]
    if len(fresh) == len(motions):
        return kinematics_of_all(motions)
    shape = (len(motions), motions[0].frames, COUNT)
    places, world = np.empty((*shape, 3)), np.empty((*shape, 4))
    if fresh:
        places[fresh], world[fresh] = kinematics_of_all([motions[k] for k in fresh])
    for k in set(range(len(motions))) - set(fresh):
        places[k], world[k] = seen[k]
        places[k] += (motions[k].root - seen[k][0][:, 0])[:, None]
    return places, world


def _as_if_unmoved(places, motion, seen):
    """Places without what the body was moved by since it was `seen`: feet that stood go on standing, and take steps."""
    if seen is None:
        return places
    moved = motion.root - seen[0][:, 0]
    return places - (moved * [1.0, 1.0, 0.0])[:, None]


def _foot_pins(characters, times, ground):
    """Where foot joints are pinned near the ground, told as over flat ground at 0: `[N, T, 4, 3]`, NaN elsewhere.

    None where no foot is pinned: a foot that stands at its pin before the last solve is not dragged there by it.
    """
    out = np.full((len(characters), len(times), 4, 3), np.nan)
    for k, character in enumerate(characters):
        for pin in character.pins:
            if pin.place is None or pin.weight != HARD or INDEX[pin.joint] not in FEET:
                continue
            place, number = np.array(pin.place, float), FEET.index(INDEX[pin.joint])
            place[2] -= 0.0 if ground is None else ground(place[None, :2])[0]
            if place[2] - character.body.foot_heights[number] < PINNED_LOW * character.body.size:
                last = times[-1] if pin.end is None else pin.end
                out[k, (times >= pin.start - SAME) & (times <= last + SAME), number] = place
    return out if np.isfinite(out).any() else None


def _higher(motion, height):
    """The motion moved up by `height [T]` metres."""
    root = motion.root.copy()
    root[:, 2] += height
    return replace(motion, root=root)


def _strides_freely(character, person):
    """Whether somebody walks along a path as they like, with no pose or height that says how upright."""
    posed = any(len(k.joints) == COUNT or k.root is not None for k in character.keys)
    return person.source == PATH and not posed and character.path.heights is None


def _height_of(ground):
    return lambda points: ground_heights(ground, points)[0]


def _restored(motion, person, share):
    """The motion with what is kept of an existing one, `share [T, 22]`, put back, softly where it is kept in part."""
    if not share.any():
        return motion
    rotations = np.where(share[..., None] > EXACT, person.motion.rotations,
                         rot.slerp(motion.rotations, person.motion.rotations, share))  # fmt: skip
    root = motion.root + share[:, :1] * (person.motion.root - motion.root)
    return replace(motion, root=root, rotations=rotations)


def _untouched(motion, character, person, share, times):
    """The motion with what is wholly kept (`share [T, 22]`) as it was, whatever standing on the ground did to it."""
    share = share > EXACT
    if not share.any():
        return motion
    was = resample(character.motion, times)  # a course's motion is told over flat ground
    rotations, root = np.where(share[..., None], was.rotations, motion.rotations), motion.root
    if person.target is None:
        root = np.where(share[:, :1], was.root, root)
    return replace(motion, root=root, rotations=rotations)


def _on_path(motion, character, person, times, held):
    """The motion with its pelvis on its path and turned as the path says."""
    if person.target is None:
        return motion
    path, root = character.path, motion.root.copy()
    if person.waypoints is not None:
        met = (meet_waypoints if path.raw else meet_waypoints_smoothly)(root[:, :2], *person.waypoints)
    elif path.raw:
        met = meet_raw(root[:, :2], person.target)
    else:
        met = meet_path(root[:, :2], person.target, held, root[held, :2])
    root[:, :2] += min(path.weight, 1.0) * (met - root[:, :2])
    motion = replace(motion, root=root)
    if path.heading != GIVEN:
        return motion
    turn = (person.heading - rot.heading(motion.rotations[:, 0]) + np.pi) % (2 * np.pi) - np.pi
    turn = smooth_pelvis(rot.unwrap(turn)[:, None])[:, 0] * min(path.weight, 1.0)
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.multiply(rot.about_z(turn), rotations[:, 0])
    return replace(motion, rotations=rotations)


def _lift_to_path(motion, character, times):
    """Metres `[T]` by which the pelvis goes up to the path's heights; None where none are given."""
    if character.path is None or character.path.heights is None:
        return None
    wanted = heights_at(character.path, times)
    bound = np.flatnonzero(np.isfinite(wanted))
    if not len(bound):
        return None
    off = np.interp(np.arange(len(times)), bound, (wanted - motion.root[:, 2])[bound])
    return min(character.path.weight, 1.0) * off


def _raised(motion, height, places, world):
    """The motion with its pelvis `height [T]` metres higher and its feet where they were, as far as the legs reach.

    And its `places [T, 22, 3]` and `world` rotations `[T, 22, 4]` then, from those before.
    """
    higher = places.copy()
    higher[..., 2] += height[:, None]
    ankles = np.stack([places[:, INDEX[leg[2]]] for leg in LEGS])
    rotations, world = solve_legs(motion.rotations, world, higher, ankles)
    put_legs(higher[None], world[None], motion.body.offsets[None])
    return replace(_higher(motion, height), rotations=rotations), higher, world


def _near_ground(motion, ground):
    """Foot joints `[T, 4]` that are low enough to stand."""
    feet = kinematics(motion)[0][:, list(FEET)]
    below = 0.0 if ground is None else ground(feet[..., :2])
    return feet[..., 2] - below - motion.body.foot_heights < OFF_GROUND * motion.body.size


def poses_of(request, course, motions):
    """Poses of motions on the course's times."""
    sizes = np.array([c.body.size for c in request.characters])
    return Poses(course.times, *kinematics_of_all(motions), sizes)
