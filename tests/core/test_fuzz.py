"""Random requests, many of them spoilt: refused by the field's path, or answered with motions that hold what they say.

MOTIONDIFF_FUZZ is the number of requests (100 by default, the same ones each time; another number draws fresh ones,
10000 takes half an hour). A few are answered by a network of noise instead of the bundled one, as whatever a network
says has to end in finite motions that meet what binds.
"""

import contextlib
import ctypes
import json
import os
import re
import threading
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints.trajectory import smooth_pelvis
from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import FPS, forward_kinematics, resample
from blender_motiondiff.core.request import HARD, Character, Ground, Key, Path, Pin, Request, RequestError, Sphere
from blender_motiondiff.core.skeleton import COUNT, INDEX, PARENTS, average_body

from .made_motion import swinging
from .random_requests import at, mixed_requests, now_and_then, put

USUAL = 100
ASKED = int(os.environ.get("MOTIONDIFF_FUZZ", USUAL))
HANGS = 60  # seconds of the processor for one request that count as never
NEAR, TURNED = 1e-3, 0.1  # metres for a body of size 1, degrees: a hard constraint that is met
SLACK = 1e-6
FIELD = re.compile(r"(\w+(?:\[\d+\])*(?:\.\w+(?:\[\d+\])*)*): .*\.$", re.DOTALL)


@pytest.fixture(scope="module")
def denoiser():
    return onnx_backend.load(threads=1)


def noise_instead_of(denoiser):
    """A network of the same call that says three times as much as any trained one, at random."""

    def denoise(noisy, given, free, level, present):
        return 3 * np.random.default_rng(0).standard_normal(noisy.shape, np.float32)

    denoise.weights, denoise.name, denoise.device, denoise.gradient = denoiser.weights, "noise", "cpu", None
    return denoise


@contextlib.contextmanager
def alarm(seconds):
    """Raises TimeoutError in here once this process has spent so many seconds more on the processor.

    A thread keeps watch: the system's own timer of processor time (ITIMER_PROF) has been seen never to go off.
    """
    until = time.process_time() + seconds
    caller = ctypes.c_ulong(threading.get_ident())
    over = threading.Event()

    def watch():
        while not over.wait(0.02):
            if time.process_time() > until:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(caller, ctypes.py_object(TimeoutError))
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def judged(request, denoiser):
    """What became of a request: (refused, answered or relaxed; seconds of the processor).

    AssertionError where it is not as it should be. Anything but RequestError that generate raises comes through.
    """
    begun = time.process_time()
    try:
        with alarm(HANGS), np.errstate(all="ignore"):
            takes = generate(request, denoiser)
    except RequestError as error:
        check_refusal(request, str(error))
        return "refused", time.process_time() - begun
    took = time.process_time() - begun
    assert len(takes) == request.takes
    for take in takes:
        check_take(request, take)
    return "relaxed" if any(t.report["relaxed"] for t in takes) else "answered", took


def check_refusal(request, message):
    found = FIELD.match(message)
    assert found, f"the message does not begin with a field's path: {message}"
    path = [int(n) if n.isdigit() else n for n in re.findall(r"\w+", found.group(1))]
    at(request, path)  # raises where there is no such field


def check_take(request, take):
    """Shapes, finite numbers, times, what is given, what is kept, and all that binds."""
    frames, people = request.frames, len(request.characters)
    size = next(c.body.size for c in request.characters if not c.given)
    assert take.times.shape == (frames,) and (np.diff(take.times) > 0).all()
    assert np.abs(take.times - np.arange(frames) / FPS).max() <= 1.5 / FPS
    assert take.contacts.shape == (people, frames, 4) and ((take.contacts >= 0) & (take.contacts <= 1)).all()
    json.dumps(take.report, allow_nan=False)
    assert len(take.motions) == people
    poses = []
    for character, motion in zip(request.characters, take.motions, strict=True):
        seen = resample(motion, take.times) if character.given else motion  # whose frames keys don't bend in time
        poses.append(forward_kinematics(seen.root, seen.rotations, character.body.offsets))
        if character.given:
            assert motion is character.motion
            continue
        assert motion.root.shape == (frames, 3) and motion.rotations.shape == (frames, COUNT, 4)
        assert np.isfinite(motion.root).all() and np.isfinite(motion.rotations).all()
        assert np.abs(np.linalg.norm(motion.rotations, axis=-1) - 1).max() < 1e-6
        assert np.array_equal(motion.body.offsets, character.body.offsets)
        check_kept(character, motion, take.times)
    missed = {field: off for field, *off in distances(request, take.times, poses, size) if off[0] > 1 or off[1] > 1}
    untold = {field: off for field, off in missed.items() if not told(take.report, field)}
    assert not untold, f"missed (times 1 mm, 0.1 degree), and not in the report: {untold}"


def told(report, field):
    return any(r.startswith(f"{field} ") for r in report["relaxed"])


def check_kept(character, motion, times):
    """What is wholly kept of an existing motion and no path asks for is as it was."""
    if character.keep is None or character.vary is not None or character.path is not None:
        return
    was, kept = resample(character.motion, times), np.asarray(character.keep) >= 1
    angle = np.degrees(rot.angle_between(was.rotations, motion.rotations)) * kept
    assert angle.max() < TURNED, "what is kept was turned"
    off = np.linalg.norm(was.root - motion.root, axis=-1) * kept[:, 0]
    assert off.max() < NEAR * character.body.size, "what is kept was moved"


# --- what binds, measured here again ----------------------------------------------------------------------------------


def distances(request, times, poses, size):
    """(field, places missed by as times NEAR, turns missed by as times TURNED) of what binds, as takes show it."""
    near = (NEAR + SLACK) * size

    def span(item):
        end = times[-1] if item.end is None else item.end
        inside = (times >= item.start - SLACK) & (times <= end + SLACK)
        if not inside.any():
            inside[np.abs(times - item.start).argmin()] = True
        return inside

    for p, character in enumerate(request.characters):
        places, turns = poses[p]
        path = character.path
        if path is not None and path.weight == HARD and np.isfinite(np.asarray(path.times, float)).all():
            yield f"characters[{p}].path", path_missed(character, places[:, 0, :2], times) / near, 0.0
        for i, pin in enumerate(character.pins):
            if pin.weight == HARD:
                yield f"characters[{p}].pins[{i}]", *pin_missed(pin, places[span(pin)], turns[span(pin)], near)
        for i, key in enumerate(character.keys):
            frame = np.abs(times - key.time).argmin()
            assert abs(times[frame] - key.time) < 1e-6, "a key lies on no frame"
            if key.tolerance == 0:
                yield f"characters[{p}].keys[{i}]", *key_missed(key, places[frame], turns[frame], near)
    for i, contact in enumerate(request.contacts):
        if contact.weight == HARD:
            a, b = (poses[p][0][span(contact), INDEX[j]] for p, j in (contact.first, contact.second))
            off = np.abs(np.linalg.norm(a - b, axis=-1) - contact.distance)
            yield f"contacts[{i}]", off.max() / near, 0.0
    for i, spacing in enumerate(request.spacings):
        if spacing.weight == HARD:
            apart = np.linalg.norm((poses[0][0] - poses[1][0])[span(spacing), 0, :2], axis=-1)
            off = np.maximum(apart - spacing.most, spacing.least - apart)
            yield f"spacings[{i}]", off.max() / near, 0.0
    for i, obstacle in enumerate(request.obstacles):
        if obstacle.weight == HARD and isinstance(obstacle.shape, Sphere):
            joints = [INDEX[j] for j in obstacle.joints]
            away = [np.linalg.norm(q[0][span(obstacle)][:, joints] - obstacle.shape.centre, axis=-1) for q in poses]
            yield f"obstacles[{i}]", (obstacle.shape.radius + obstacle.margin - np.min(away)) / near, 0.0


def path_missed(character, track, times):
    """Metres between a timed path and the pelvis, smoothed where that is what binds; 0 where keys may bend it."""
    path = character.path
    track = track if path.raw else smooth_pelvis(track)
    if path.sparse:
        frames = np.abs(times - np.asarray(path.times, float)[:, None]).argmin(1)
        return np.linalg.norm(track[frames] - path.points, axis=-1).max()
    if any(key.root is not None for key in character.keys):
        return 0.0
    wanted = np.stack([np.interp(times, path.times, np.asarray(path.points)[:, k]) for k in range(2)], -1)
    return np.linalg.norm(track - (wanted if path.raw else smooth_pelvis(wanted)), axis=-1).max()


def pin_missed(pin, places, turns, near):
    j, off, angle = INDEX[pin.joint], 0.0, 0.0
    if pin.place is not None:
        off = np.linalg.norm(places[:, j] - pin.place, axis=-1).max()
    if pin.rotation is not None:
        angle = np.degrees(rot.angle_between(turns[:, j], rot.normalize(np.asarray(pin.rotation, float)))).max()
    return off / near, angle / (TURNED + SLACK)


def key_missed(key, places, turns, near):
    off, angle = [0.0], [0.0]
    for j in (INDEX[name] for name in key.joints):
        above = turns[PARENTS[j]] if j else rot.IDENTITY
        wanted = rot.multiply(above, rot.normalize(np.asarray(key.rotations, float)[j]))
        angle.append(np.degrees(rot.angle_between(turns[j], wanted)))
    if key.root is not None:
        off.append(np.linalg.norm(places[0] - key.root))
    if key.places is not None:
        off += np.nan_to_num(np.linalg.norm(places - key.places, axis=-1)).tolist()
    return max(off) / near, max(angle) / (TURNED + SLACK)


# --- the test ---------------------------------------------------------------------------------------------------------


def test_random_requests_are_refused_by_path_or_answered(denoiser):
    noise, seen, longest = noise_instead_of(denoiser), Counter(), [0.0]

    @settings(
        max_examples=ASKED, derandomize=ASKED == USUAL, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(mixed_requests, now_and_then(20), st.just(denoiser))
    def one(request, noisy, network):
        outcome, took = judged(request, noise if noisy else network)
        seen[outcome] += 1
        longest[0] = max(longest[0], took)

    one()
    print(f"\n{dict(seen)}, the slowest in {longest[0]:.1f} s")
    if ASKED >= USUAL:
        assert min(seen["refused"], seen["answered"], seen["relaxed"]) > ASKED // 30, "the strategies lost their aim"


# --- what random requests have found ----------------------------------------------------------------------------------

BODY = average_body()
UPRIGHT = np.array([0.0, 0.0, BODY.standing_height])
STILL = np.tile(rot.IDENTITY, (COUNT, 1))
HILLS = Ground(np.array([-2.0, -2.0]), 0.5, 0.1 * np.random.default_rng(0).standard_normal((9, 9)))


def alone(duration=1.0, ground=None, **known):
    return Request((Character("Ann", BODY, **known),), duration, ground=ground)


def kept(*names):
    keep = np.zeros((31, COUNT))
    keep[:10, [INDEX[n] for n in names]] = 1.0
    return alone(motion=swinging(31), keep=keep)


def line(**fields):
    return Path(np.array([0.0, 0.51, 1.0]), np.array([[0.0, 0.0], [0.0, -0.4], [0.0, -0.8]]), **fields)


def placed(name, place):
    out = np.full((COUNT, 3), np.nan)
    out[INDEX[name]] = place
    return out


FOUND = {
    "a pin after the last frame": alone(0.5149, keys=(Key(0.0, STILL, root=UPRIGHT),), pins=(
        Pin("head", start=0.512, rotation=rot.from_rotvec(np.array([0.3, 0.0, 0.0]))),)),
    "knees kept in the air": kept("left_knee", "right_knee", "left_hip", "spine1"),
    "a pelvis kept on hills": replace(kept(*INDEX), ground=HILLS),
    "a place of one joint on hills": alone(ground=HILLS, path=line(), keys=(
        Key(0.5, STILL, (), places=placed("left_wrist", [0.3, -0.5, 1.2])),)),
    "one height between two frames": alone(path=line(heights=np.array([np.nan, 0.8, np.nan]))),
    "two keys that rounding tells apart": alone(keys=tuple(Key(t, STILL, root=UPRIGHT) for t in (0.3, 0.1 + 0.2))),
    "three keys within a frame": alone(keys=tuple(Key(t, STILL, root=UPRIGHT) for t in (0.5, 0.503, 0.506))),
}  # fmt: skip
REFUSED = {
    "keys": alone(keys=tuple(Key(0.5 + 0.002 * i, STILL, root=UPRIGHT) for i in range(7))),
    "characters[0]": alone(keys=(Key(0.5, STILL),)),
    "takes": replace(alone(path=line()), takes=10**400),
    "steps": replace(alone(path=line()), steps=10**5000),
    "duration": alone(10**400, path=line()),
    "path.points": alone(path=replace(line(), points=line().points + 1j)),
    "path.times": alone(path=replace(line(), times=["0", "0.5", "1"])),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_was_once_answered_wrongly(denoiser, case):
    assert judged(FOUND[case], denoiser)[0] in ("answered", "relaxed")


@pytest.mark.parametrize("field", REFUSED)
def test_what_once_raised_or_named_no_field(denoiser, field):
    with pytest.raises(RequestError) as refusal:
        generate(REFUSED[field], denoiser)
    check_refusal(REFUSED[field], str(refusal.value))
    assert field in str(refusal.value).split(":", maxsplit=1)[0]


# --- the judge itself -------------------------------------------------------------------------------------------------


def pinned():
    return alone(keys=(Key(0.0, STILL, (), UPRIGHT),), pins=(Pin("left_wrist", place=np.array([0.4, -0.2, 1.3])),))


def test_the_judge_sees_what_an_answer_misses(denoiser):
    request = pinned()
    assert judged(request, denoiser)[0] == "answered"
    take = generate(request, denoiser)[0]
    elsewhere = put(request, ("characters", 0, "pins", 0, "place"), np.array([0.4, -0.2, 1.302]))
    with pytest.raises(AssertionError, match=r"pins\[0\]"):
        check_take(elsewhere, take)
    for spoilt in (np.nan, 1.0):
        root = take.motions[0].root.copy()
        root[3, 1] += spoilt
        with pytest.raises(AssertionError):
            check_take(request, replace(take, motions=(replace(take.motions[0], root=root),)))


@pytest.mark.parametrize("message", ["It is bad.", "keys[0].time: it is bad.", "characters[2]: it is bad."])
def test_the_judge_sees_refusals_that_name_no_field(message):
    with pytest.raises((AssertionError, AttributeError, IndexError)):
        check_refusal(pinned(), message)


def test_the_judge_sees_what_takes_too_long():
    with pytest.raises(TimeoutError), alarm(0.05):
        while True:
            pass
