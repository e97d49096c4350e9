"""Where words alone lead: a way for somebody who is told to walk or run and is given one place to do it from.

A pose at one moment and the words "walk, turn left" say where somebody starts and not where to; the mean of all ways
is to stay. So the way is laid first, at the speeds that recorded people have, and generated along as a drawn path is,
except that it binds nothing.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..motion import FPS
from ..reference import smooth
from ..request import GIVEN, Path
from ..words import tags_of

# Metres a second for a body of size 1: medians over the training clips whose descriptions hold the tag. The first that
# is said counts.
SPEEDS = {"run": 2.7, "jog": 2.1, "sneak": 0.65, "walk": 1.15, "dribble": 1.15}
PACES = {"slow": 0.85, "fast": 1.3, "exaggerated": 1.3}
# Degrees that somebody turns by, likewise, and the seconds it takes at most.
TURNS = {"turn": 90.0, "veer": 41.0, "circle": 104.0}
TURN_SECONDS = 2.0
SIDES = {"left": 1.0, "right": -1.0}
GATHERING = 0.3  # seconds, standard deviation of the average by which somebody starts and stops


def with_ways(request):
    """The request with a Path of weight 0 for whoever is told to go, has one placed key, and no path or motion.

    In a frame and a scale in which bodies to be generated have size 1.
    """
    return replace(request, characters=tuple(_with_way(c, request) for c in request.characters))


def _with_way(character, request):
    placed = [k for k in character.keys if k.root is not None and "pelvis" in k.joints]
    alone = character.motion is None and character.path is None and len(character.keys) == len(placed) == 1
    speed, turned, back = said(request.words, request.frames)
    if not alone or speed.max() == 0.0:
        return character
    times, (key,) = np.arange(request.frames) / FPS, placed
    at = int(np.abs(times - key.time).argmin())
    facing = float(rot.heading(np.asarray(key.rotations, float)[0])) + turned - turned[at]
    ahead = np.stack([np.sin(facing), -np.cos(facing)], -1) * np.where(back, -1.0, 1.0)[:, None]
    way = np.cumsum(ahead * speed[:, None], axis=0) / FPS
    path = Path(times, np.asarray(key.root, float)[:2] + way - way[at], weight=0.0)
    if back.any():
        path = replace(path, heading=GIVEN, headings=facing)
    return replace(character, path=path)


def said(asked, frames, fps=FPS):
    """What the Words `asked` say of a way: speed (m/s), turned so far (radians), whether backwards; each `[frames]`."""
    speed, rate, back = np.zeros(frames), np.zeros(frames), np.zeros(frames, bool)
    for one in asked:
        tags = tags_of(one.text)
        first, last = round(one.start * fps), frames if one.end is None else round(one.end * fps) + 1
        span = slice(max(first, 0), min(last, frames))
        going = next((v for tag, v in SPEEDS.items() if tag in tags), 0.0)
        speed[span] = going * np.prod([v for tag, v in PACES.items() if tag in tags])
        back[span] = "backward" in tags
        side = sum(v for tag, v in SIDES.items() if tag in tags)
        angle = np.radians(next((v for tag, v in TURNS.items() if tag in tags), 0.0)) * side
        middle, half = (span.start + span.stop) / 2, min(TURN_SECONDS * fps, span.stop - span.start) / 2
        inside = slice(round(middle - half), round(middle + half))
        rate[inside] += angle / max(inside.stop - inside.start, 1)
    return smooth(speed[:, None], GATHERING)[:, 0], np.cumsum(smooth(rate[:, None], GATHERING)[:, 0]), back
