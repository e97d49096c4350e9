"""The walk from a request to takes: conditions, sampling, decoding, cleanup, report."""

import time

import numpy as np

from .. import reference as ref
from ..cleanup.contacts import label_contacts
from ..cleanup.foot_lock import lock_feet
from ..constraints.trajectory import meet_path, path_residual
from ..denoiser.layout import PATCH
from ..features import decode
from ..motion import FPS, positions, scaled, turned
from ..request import Take, validate
from ..solve.ground import fit_height
from .conditions import build, human_scale, in_shared_frame, key_residuals, time_grid
from .samplers import ddim

# Metres over its rest height at which a swinging toe passes at least: recorded walks have medians of 0.05 to 0.10. An
# answer is an average of swings, and flatter than any of them.
SWING_CLEARANCE = 0.075

SMOOTHING = 1.0 / FPS  # seconds, of a last Gaussian average: the noise that few steps leave (InterGen's demo: 1 frame)


def generate(request, denoiser, progress=None):
    """Takes for a request, each with its own stream of random numbers: the same seed gives the same take.

    `denoiser` comes from a back end (core.denoiser). `progress(share, stage)` may raise to stop. Raises RequestError.
    """
    tell = progress or _silent
    clock = {}
    begun = time.perf_counter()
    tell(0.05, "Preparing")
    human, back = human_scale(validate(request))
    shared, heading, place = in_shared_frame(human)
    conditions = [build(shared, denoiser.weights.tables, k) for k in range(request.takes)]
    clock["prepare"] = time.perf_counter() - begun
    begun = time.perf_counter()
    tell(0.1, "Generating")
    features = sample(request, conditions, denoiser, lambda i, n: tell(0.1 + 0.6 * i / n, "Generating"))
    clock["generate"] = time.perf_counter() - begun
    takes = []
    for k, answer in enumerate(features):
        begun = time.perf_counter()
        tell(0.7 + 0.3 * k / len(features), "Cleaning up")
        motions, contacts, report = _decode(shared, conditions[k], answer)
        report["seconds"] = {**clock, "clean_up": time.perf_counter() - begun}
        motions = tuple(scaled(turned(m, heading, place), back) for m in motions)
        motions = tuple(_exactly(c, m) for c, m in zip(request.characters, motions, strict=True))
        takes.append(Take(motions, conditions[k].times, contacts, report))
    tell(1.0, "Cleaning up")
    return takes


def _silent(share, stage):
    return None


def _exactly(character, motion):
    """Somebody animated already is handed back as they came."""
    return motion if character.motion is None else character.motion


def sample(request, conditions, denoiser, callback=None):
    """World features of every take `[takes, P, T, 268]`, in the shared frame; observations and paths are met.

    `conditions`: one a take.
    """
    frames = len(conditions[0].times)
    pad = -frames % PATCH

    def padded(name):
        stacked = np.stack([getattr(c, name) for c in conditions])
        return np.pad(stacked, ((0, 0), (0, 0), (0, pad), (0, 0)), mode="edge")

    free = (~padded("mask")).astype(np.float32)
    given, count, people = padded("given"), len(conditions), free.shape[1]
    streams = [np.random.default_rng([request.seed, k]) for k in range(count)]
    noise = np.stack([s.standard_normal(free.shape[1:], np.float32) for s in streams]) * free
    present = np.full((count, people), float(people == 2), np.float32)

    def denoise(x, level):
        return denoiser(x, given, free, np.full(count, level, np.float32), present)

    def impose(clean):
        return np.stack([_onto_paths(x, c) for x, c in zip(clean, conditions, strict=True)]) * free

    clean = ddim(denoise, noise, request.steps, impose, callback)
    clean = impose(ref.smooth(clean, SMOOTHING).astype(np.float32))[:, :, :frames]
    answers = zip(clean, conditions, strict=True)
    return np.stack([ref.to_world(c.base + c.spread * x, c.place, c.heading) for x, c in answers])


def _onto_paths(clean, conditions):
    """The residuals `[P, T, 268]` with every bound pelvis moved onto its path, in closed form."""
    out = clean.copy()
    frames = len(conditions.times)
    for p, target in enumerate(conditions.paths):
        if target is None:
            continue
        base, spread = conditions.base[p, :, :2], conditions.spread[p, :, :2]
        cos, sin = np.cos(conditions.heading[p]), np.sin(conditions.heading[p])
        axes = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)  # [T, 2, 2] frame -> shared
        world = np.einsum("tij,tj->ti", axes, base + spread * clean[p, :frames, :2]) + conditions.place[p]
        held = np.flatnonzero(conditions.mask[p, :, 0])
        met = meet_path(world, target, held, world[held])
        out[p, :frames, :2] = (np.einsum("tji,tj->ti", axes, met - conditions.place[p]) - base) / spread
    return out


def _decode(request, conditions, features):
    """Motions in the shared frame, contacts `[P, T, 4]` and the report of one take."""
    motions, contacts, people = [], [], []
    _, placed = time_grid(request)
    for p, character in enumerate(request.characters):
        motion, stands = decode(features[p], character.body)
        if character.motion is not None:
            motions.append(character.motion)
            contacts.append(label_contacts(positions(character.motion), character.body, FPS).astype(float))
            people.append({"name": character.name, "given": True})
            continue
        entry = {"name": character.name, "given": False}
        held = [placed[k.time] for k in character.keys if k.root is not None]
        motion = fit_height(motion, stands > 0.5, held)
        if request.cleanup:
            keep = np.ones(motion.frames)
            keep[list(conditions.key_frames[p])] = 0.0
            touching = label_contacts(positions(motion), character.body, FPS) | (stands > 0.5)
            motion, entry["feet"] = lock_feet(motion, touching, keep, SWING_CLEARANCE)
        if conditions.paths[p] is not None:
            off = path_residual(motion.root[:, :2], conditions.paths[p])
            entry["path_mean_cm"], entry["path_worst_cm"] = 100 * float(off.mean()), 100 * float(off.max())
            entry["path_bent_cm"] = [round(100 * float(b), 2) for b in conditions.bends[p]]
        if character.keys:
            place, angle = key_residuals(character, placed, motion)
            entry["key_error_cm"], entry["key_error_deg"] = 100 * place, float(np.degrees(angle))
        motions.append(motion)
        contacts.append(np.clip(stands, 0.0, 1.0))
        people.append(entry)
    return motions, np.stack(contacts), {"characters": people}
