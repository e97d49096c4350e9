"""From world features to motions: what is kept comes back, paths are met, feet stand, hard constraints are exact."""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..cleanup.contacts import label_contacts
from ..cleanup.foot_lock import UP, lock_feet
from ..cleanup.kinematics import kinematics
from ..cleanup.plants import frames_from
from ..cleanup.two_bone_ik import solve_leg
from ..constraints import collect
from ..constraints.ground import heights_at as ground_heights
from ..constraints.rows import Poses
from ..constraints.trajectory import heights_at, meet_path, meet_raw, meet_waypoints, smooth_pelvis
from ..features import decode
from ..motion import FPS, resample
from ..reference import PATH, smooth
from ..request import GIVEN, HARD
from ..skeleton import COUNT, FEET, INDEX, LEGS
from ..solve.goals import meet
from ..solve.ground import fit_height, onto_terrain, straighter
from .course import share_in_time, wanted_heading

# Metres over its rest height at which a swinging toe passes at least: recorded walks have medians of 0.05 to 0.10. An
# answer is an average of swings, and flatter than any of them.
SWING_CLEARANCE = 0.075
OFF_GROUND = 0.08  # metres over its rest height, for a leg of 0.85 m: a foot this high does not stand, whatever is said
HALF_TURNED = 0.3  # weight of a facing at which half of it is granted
BESIDE = 0.4  # seconds from a keyed or kept turn in which a wish is granted in full
TURNING = 0.15  # seconds over which a turn that is added is smoothed
WAYPOINT_ROUNDS, WAYPOINT_MET = 40, 1e-4  # rounds at most; metres. Waypoints close in time need many
ROOT = COUNT  # column of the root in what is frozen
EXACT = 0.999  # share from which something is kept as it is


def finish(request, course, features):
    """Motions in the shared frame, contacts `[P, T, 4]` and the feet's reports of one take.

    `features [P, T, 268]`: the network's answer in world features.
    """
    motions, contacts, feet = [], [], []
    for p, (character, person) in enumerate(zip(request.characters, course.people, strict=True)):
        if character.given:
            motions.append(replace(person.motion, fps=FPS))
            contacts.append(label_contacts(kinematics(person.motion)[0], character.body, FPS).astype(float))
            feet.append(None)
            continue
        motion, stands = decode(features[p], character.body)
        motion = faced(motion, request, course, p)
        motion, stands, report = _stand(request, character, person, course.times, motion, stands)
        motions.append(_untouched(motion, character, person, course.times))
        contacts.append(np.clip(stands, 0.0, 1.0))
        feet.append(report)
    key_frames = [p.key_frames for p in course.people]

    # Wishes about facing are granted already, to whole bodies and before their feet stood.
    left = replace(request, facings=tuple(f for f in request.facings if np.isinf(f.weight)))

    def gather(poses):
        return collect.gather(left, poses, key_frames)

    motions, _ = meet(motions, course.times, gather, frozen(request, course))
    return motions, np.stack(contacts), feet


def faced(motion, request, course, number):
    """The motion with its whole body turned towards what `facings` wish, as far as their weights go.

    Where the pelvis' turn is keyed or kept it stays, and the wish comes and goes beside it.
    """
    partner, character, person = course.people[-1 - number].place, request.characters[number], course.people[number]
    bound = _kept(character, person)[:, 0] > EXACT
    bound[[f for f, k in zip(person.key_frames, character.keys, strict=True) if "pelvis" in k.joints]] = True
    free = np.clip(frames_from(bound) / (BESIDE * FPS), 0.0, 1.0) if bound.any() else 1.0
    for facing in request.facings:
        if facing.character == number:
            wanted = wanted_heading(facing.target, motion.root[:, :2], partner)
            off = (wanted - rot.heading(motion.rotations[:, 0]) + np.pi) % (2 * np.pi) - np.pi
            granted = 1.0 if np.isinf(facing.weight) else facing.weight / (facing.weight + HALF_TURNED)
            turn = smooth(np.unwrap(off)[:, None], TURNING)[:, 0] * granted
            turn *= share_in_time(course.times, facing.start, facing.end) * free * free * (3 - 2 * free)
            rotations = motion.rotations.copy()
            rotations[:, 0] = rot.multiply(rot.about_z(turn), rotations[:, 0])
            motion = replace(motion, rotations=rotations)
    return motion


def _stand(request, character, person, times, motion, stands):
    """One generated person on the ground, on its path, through its keys: (motion, contacts, the feet's report)."""
    held = [f for f, k in zip(person.key_frames, character.keys, strict=True) if k.root is not None]
    motion = _on_path(_restored(motion, character, person), character, person, times, held)
    on = stands > 0.5
    motion = fit_height(motion, on, held + list(np.flatnonzero(_kept(character, person)[:, 0] > EXACT)))
    if _strides_freely(character, person):
        motion = _raised(motion, straighter(motion, on) * (1.0 - _kept(character, person)[:, 0]))
    touching = label_contacts(kinematics(motion)[0], character.body, FPS) | on
    ground = None
    if request.ground is not None:
        ground = _height_of(request.ground)
        motion = onto_terrain(motion, ground, touching)
    motion, lifted = _at_height(motion, character, times)
    if not request.cleanup:
        return motion, stands, None
    keep = np.ones(motion.frames)
    keep[list(person.key_frames)] = 0.0
    keep[_kept(character, person)[:, [0, 1, 2, 4, 5, 7, 8, 10, 11]].min(1) > EXACT] = 0.0
    if lifted:
        touching &= _near_ground(motion, ground)
    locked, report = lock_feet(motion, touching, keep, SWING_CLEARANCE, ground)
    if lifted:
        locked = _raised(locked, motion.root[:, 2] - locked.root[:, 2])
    return locked, stands, report


def _strides_freely(character, person):
    """Whether somebody walks along a path as they like, with no pose or height that says how upright."""
    posed = any(len(k.joints) == COUNT or k.root is not None for k in character.keys)
    return person.source == PATH and not posed and character.path.heights is None


def _height_of(ground):
    return lambda points: ground_heights(ground, points)[0]


def _kept(character, person):
    """How far each joint of an existing motion is kept `[T, 22]`."""
    if character.motion is None:
        return np.zeros((len(person.place), COUNT))
    share = np.ones((len(person.place), COUNT)) if character.keep is None else np.asarray(character.keep, float)
    return share * person.known if character.vary is not None else share


def _restored(motion, character, person):
    """The motion with what is kept of an existing one put back, softly where it is kept in part."""
    share = _kept(character, person)
    if not share.any():
        return motion
    rotations = np.where(share[..., None] > EXACT, person.motion.rotations,
                         rot.slerp(motion.rotations, person.motion.rotations, share))  # fmt: skip
    root = motion.root + share[:, :1] * (person.motion.root - motion.root)
    return replace(motion, root=root, rotations=rotations)


def _untouched(motion, character, person, times):
    """The motion with what is wholly kept as it was, whatever standing on the ground did to it."""
    share = _kept(character, person) > EXACT
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
        met = _through_waypoints(root[:, :2], *person.waypoints, path.raw)
    elif path.raw:
        met = meet_raw(root[:, :2], person.target)
    else:
        met = meet_path(root[:, :2], person.target, held, root[held, :2])
    root[:, :2] += min(path.weight, 1.0) * (met - root[:, :2])
    motion = replace(motion, root=root)
    if path.heading != GIVEN:
        return motion
    turn = (person.heading - rot.heading(motion.rotations[:, 0]) + np.pi) % (2 * np.pi) - np.pi
    turn = smooth_pelvis(np.unwrap(turn)[:, None])[:, 0] * min(path.weight, 1.0)
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.multiply(rot.about_z(turn), rotations[:, 0])
    return replace(motion, rotations=rotations)


def _through_waypoints(places, frames, points, raw):
    """Pelvis places `[T, 2]` so that they, or their smoothed form, pass the waypoints."""
    if raw:
        return meet_waypoints(places, frames, points)
    met = places
    for _ in range(WAYPOINT_ROUNDS):  # what is added is not smooth to the last, so smoothing takes some of it away
        track = smooth_pelvis(met)
        if np.abs(track[frames] - points).max() < WAYPOINT_MET:
            break
        met = met + meet_waypoints(track, frames, points) - track
    return met


def _at_height(motion, character, times):
    """(the motion with its pelvis at the path's heights where they are given, whether any are)."""
    if character.path is None or character.path.heights is None:
        return motion, False
    wanted = heights_at(character.path, times)
    bound = np.flatnonzero(np.isfinite(wanted))
    if not len(bound):
        return motion, False
    off = np.interp(np.arange(len(times)), bound, (wanted - motion.root[:, 2])[bound])
    root = motion.root.copy()
    root[:, 2] += min(character.path.weight, 1.0) * off
    return replace(motion, root=root), True


def _raised(motion, height):
    """The motion with its pelvis `height [T]` metres higher and its feet where they were, as far as the legs reach."""
    places, world = kinematics(motion)
    root, local = motion.root.copy(), motion.rotations
    root[:, 2] += height
    for leg in LEGS:
        local = solve_leg(local, world, places + height[:, None, None] * UP, leg, places[:, INDEX[leg[2]]])
    return replace(motion, root=root, rotations=local)


def _near_ground(motion, ground):
    """Foot joints `[T, 4]` that are low enough to stand."""
    feet = kinematics(motion)[0][:, list(FEET)]
    below = 0.0 if ground is None else ground(feet[..., :2])
    return feet[..., 2] - below - motion.body.foot_heights < OFF_GROUND * motion.body.size


def frozen(request, course):
    """What the solve must leave as it is `[P, T, 23]`: joints' rotations, and the root's place in the last column."""
    out = np.zeros((len(course.people), len(course.times), COUNT + 1), bool)
    for p, (character, person) in enumerate(zip(request.characters, course.people, strict=True)):
        if character.given:
            out[p] = True
            continue
        kept = _kept(character, person) > EXACT
        out[p, :, :COUNT], out[p, :, ROOT] = kept, kept[:, 0]
        if person.target is not None and character.path.weight == HARD and person.waypoints is None:
            out[p, :, ROOT] = True
        for frame, key in zip(person.key_frames, character.keys, strict=True):
            if key.tolerance == 0.0:
                out[p, frame, [INDEX[j] for j in key.joints]] = True
                out[p, frame, ROOT] |= key.root is not None and request.ground is None
    return out


def poses_of(request, course, motions):
    """Poses of motions on the course's times."""
    made = [kinematics(m) for m in motions]
    sizes = np.array([c.body.size for c in request.characters])
    return Poses(course.times, np.stack([m[0] for m in made]), np.stack([m[1] for m in made]), sizes)
