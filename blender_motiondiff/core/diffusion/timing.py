"""When things happen: the grid of times, bent so that keys and waypoints lie on it, and spans that hold a frame."""

from dataclasses import replace

import numpy as np

from ..constraints.trajectory import timed
from ..motion import FPS
from ..request import RequestError

SAME_TIME = 1e-6  # seconds
MOST_BENT = 1.5  # frames by which a moment may be off its frame's own time
SPANS = ("contacts", "spacings", "facings", "look_ats", "syncs", "obstacles", "solos")


def with_times(request):
    """The request with a time for every waypoint of its paths, and spans that hold a frame of the clip or more."""
    characters = []
    for p, c in enumerate(request.characters):
        try:
            characters.append(c if c.path is None else replace(c, path=timed(c.path, request.duration)))
        except RequestError as error:
            raise RequestError(f"characters[{p}].path.times: {error}") from error
    request = replace(request, characters=tuple(characters))
    first, last = time_grid(request)[0][[0, -1]].tolist()

    def inside(when):
        # The last frame may lie before the clip's end, and the first one after its beginning if it is a key's.
        return None if when is None else min(max(when, first), last)

    def moved(items):
        return tuple(replace(i, start=inside(i.start), end=inside(i.end)) for i in items)

    return replace(
        request, characters=tuple(replace(c, pins=moved(c.pins)) for c in request.characters),
        **{name: moved(getattr(request, name)) for name in SPANS},
    )  # fmt: skip


def time_grid(request):
    """Times `[T]` near 30 a second, bent so that keys and sparse waypoints lie on them, each on its nearest free one.

    Returns the times and a dict from those moments (seconds) to frames. Raises RequestError where too many are near.
    """
    frames, moments = request.frames, _moments(request)
    wanted = np.array(sorted(moments))
    # Moments that only rounding tells apart share a frame; the others take rising ones.
    rank = np.cumsum(np.diff(wanted, prepend=wanted[:1]) > SAME_TIME)
    first = np.unique(rank, return_index=True)[1]
    own = np.arange(len(first))
    free = np.rint(wanted[first] * FPS).astype(int) - own
    later, earlier = np.maximum.accumulate(free), np.minimum.accumulate(free[::-1])[::-1]
    at = np.clip((later + earlier) // 2, 0, frames - len(own)) + own
    crowded = np.abs(at - wanted[first] * FPS) > MOST_BENT
    if crowded.any():
        when = wanted[first][crowded][0]
        raise RequestError(
            f"{moments[when]}: keys near {when:.2f} s lie closer together than the {FPS:.0f} poses a second that can "
            "be met. Remove some of them."
        )
    anchors = {0: 0.0, frames - 1: (frames - 1) / FPS} | dict(zip(at.tolist(), wanted[first].tolist()))
    index = sorted(anchors)
    times = np.interp(np.arange(frames), index, [anchors[i] for i in index])
    return times, dict(zip(wanted.tolist(), at[rank].tolist()))


def _moments(request):
    """Seconds that have to lie on frames, and the field that says so."""
    out = {}
    for p, c in enumerate(request.characters):
        out |= {k.time: f"characters[{p}].keys[{i}].time" for i, k in enumerate(c.keys)}
        if c.path is not None and c.path.sparse:
            out |= {float(t): f"characters[{p}].path.times[{i}]" for i, t in enumerate(c.path.times)}
    return out
