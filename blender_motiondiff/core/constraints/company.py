"""The way of somebody who keeps a partner company that walks: beside them, behind them, or towards them.

Where a walker is says little of where the other one is: the mean of beside, behind and in front is to stand and let
them pass. So the way is laid first, and generated along as a drawn path is, except that it binds nothing.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..motion import FPS
from ..reference import path_heading, smooth_heading
from ..request import GIVEN, Path
from ..words import tags_of
from .trajectory import headings_at, sample_path, smooth_pelvis
from .ways import SIDES

# Metres between two bodies of size 1 that walk side by side, one after the other, that have met, and that touch.
BESIDE, BEHIND, MET, TOUCHING = 0.8, 1.2, 0.9, 0.6
GOES = 0.4  # metres a second of somebody who walks
# Shares of the time that somebody walks, by themselves and where words say that they go together. Of the recorded walks
# and runs 86 % are told by it, of the salsa, everyday and fights none, for nobody else faces their way all the while.
MOSTLY, AT_TIMES = 0.6, 0.3
AHEAD = np.radians(35.0)  # between the way and where a walker's hips face, on average
SWINGS = 0.5  # seconds, standard deviation of the average by which a walker's turns are followed
TURNED = np.radians(60.0)  # in all, of a curve to the right: others are walked with on their right
SAID = ("follow", "meet", "together")  # how one keeps the other company, the first that is said
# What else may be said of somebody who walks along.
PLAIN = {"walk", "run", "jog", "slow", "fast", "neutral", "forward", "step", "left", "right", "start", "stop"}
# What two do with each other and not side by side on a walk, however much together it is.
FACE_TO_FACE = {"dance", "ballet", "indian", "salsa", "breakdance", "spin", "leader", "follower", "mirror"}
FACE_TO_FACE |= {"box", "punch", "kick", "martial", "sword", "exercise", "jack"}


def with_company(request):
    """The request with a Path of weight 0 for whoever has no place and whose partner, animated or on a path, walks.

    Paths have times. In a frame and a scale in which bodies to be generated have size 1.
    """
    if len(request.characters) != 2:
        return request
    return replace(request, characters=tuple(_accompanying(p, request) for p in range(2)))


def _accompanying(number, request):
    own, other = request.characters[number], request.characters[1 - number]
    placed = any(k.root is not None for k in own.keys) or any(p.place is not None for p in own.pins)
    turned = any(f.character == number for f in request.facings) or any(s.mirror for s in request.syncs)
    led = _way_of(other, request)
    if led is None or own.motion is not None or own.path is not None or placed or turned:
        return own
    tags = set().union(*(tags_of(w.text) for w in request.words))
    how = next((tag for tag in SAID if tag in tags), None)
    if tags & FACE_TO_FACE or (how is None and not tags <= PLAIN):
        return own
    place, heading = led
    if not walks(place, heading, MOSTLY if how is None else AT_TIMES):
        return own
    heading = smooth_heading(heading, SWINGS)
    touching = [c for c in request.contacts if c.first[0] != c.second[0]]
    apart = _apart(how, touching, request.spacings) * 0.5 * (own.body.size + other.body.size)
    if how in ("follow", "meet"):
        way = (behind if how == "follow" else towards)(place, heading, apart)
    else:
        way = beside(place, heading, apart, _side(tags, 1 - number, touching, heading))
    return replace(own, path=Path(np.arange(len(way)) / FPS, way, weight=0.0))


def _way_of(character, request):
    """Where somebody goes `[T, 2]` and faces `[T]`, who is animated already or walks along a path; else None.

    What they face is told by hips or the path: smoothed places overshoot a sudden stop and come back.
    """
    if character.given:
        heading = rot.unwrap(rot.heading(character.motion.rotations[:, 0]))
        return smooth_pelvis(character.motion.root[:, :2]), heading
    if character.motion is not None or character.path is None:
        return None
    times = np.arange(request.frames) / FPS
    place = sample_path(character.path, times)
    heading = headings_at(character.path, times) if character.path.heading == GIVEN else path_heading(place)
    return smooth_pelvis(place), heading


def _apart(how, touching, spacings):
    """Metres between the two, as far as every spacing allows; `touching`: contacts of the two with each other."""
    out = {"follow": BEHIND, "meet": MET}.get(how, BESIDE)
    if touching and how != "follow":
        out = TOUCHING
    for spacing in spacings:
        out = float(np.clip(out, spacing.least, spacing.most))
    return out


def _side(tags, walker, touching, heading):
    """1 at the walker's left, -1 at their right: as is said, where they touch, or outside of their curve."""
    told = tags & set(SIDES)
    if not told:
        touched = [joint for c in touching for person, joint in (c.first, c.second) if person == walker]
        told = {name for name in SIDES if any(joint.startswith(name) for joint in touched)}
    if len(told) == 1:
        return SIDES[told.pop()]
    return 1.0 if heading[-1] - heading[0] < -TURNED else -1.0


def walks(place, heading, share):
    """Whether somebody walks ahead for a `share` of the time: smoothed `place [T, 2]`, the hips' `heading [T]`."""
    if len(place) < 2:
        return False
    goes = np.linalg.norm(np.gradient(place, axis=0), axis=-1) * FPS > GOES
    off = (heading - path_heading(place) + np.pi) % (2 * np.pi) - np.pi
    return bool(goes.mean() >= share and np.abs(off[goes]).mean() < AHEAD)


def beside(place, heading, apart, side):
    """The way `[T, 2]` of somebody at the left (`side` 1) or the right (-1) of a walker at `place [T, 2]`."""
    ahead = _ahead(heading)
    return place + side * apart * np.stack([-ahead[:, 1], ahead[:, 0]], -1)


def behind(place, heading, apart):
    """The way `[T, 2]` of somebody who follows a walker at `place [T, 2]`, from straight behind its beginning on."""
    gone = _gone(place)
    back = gone - apart
    way = np.stack([np.interp(back, gone, place[:, k]) for k in (0, 1)], -1)
    return np.where(back[:, None] < 0, place[0] + np.minimum(back, 0.0)[:, None] * _ahead(heading[:1]), way)


def towards(place, heading, apart):
    """The way `[T, 2]` of somebody who comes from as far to meet a walker at `place [T, 2]` where that ends."""
    left = _gone(place)[-1] - _gone(place)
    return place[-1] + (apart + left)[:, None] * _ahead(heading[-1:])


def _gone(place):
    """Metres gone so far `[T]`."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(place, axis=0), axis=-1))])


def _ahead(heading):
    """Unit vectors `[T, 2]` of headings `[T]`."""
    return np.stack([np.sin(heading), -np.cos(heading)], -1)
