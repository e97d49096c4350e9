"""Hands that a couple would hold: where an answer brings them near each other and keeps them there, they meet.

The estimate of least error of a hand that is held at one of several moments is a hand in the air beside the other.
Recorded couples hold hands with their wrists at a palm's length from each other.
"""

import numpy as np

from .. import rotations as rot
from ..cleanup.plants import runs
from ..motion import FPS
from ..request import Contact
from ..segments import closest
from ..skeleton import JOINTS
from ..words import tags_of
from .apart import ARMS

NEAR = 0.29  # metres between two wrists, for bodies of size 1, that come to be held ...
LONG = 0.5  # ... seconds for which they are as near
APART = 0.5  # seconds between two holds of one hand
CROSSED = 0.02  # metres by which forearms are nearer to each other than their wrists: such hands miss each other
HELD = 0.14  # metres between wrists of hands that are held
UNHELD = {"apart", "pass", "talk", "box", "punch", "martial", "sword"}  # of whom this is said hold nobody's hands
WRISTS = ARMS[:, 2]


def held(poses, yielding, request):
    """Contacts of wrists that are near each other for a while, where an arm of either can give way.

    `yielding [2, T, 2]`: how far arms may (apart.room). Joints of the request's own contacts are left to those, and
    hands that are told to move as if nobody else were there hold nothing.
    """
    if any(tags_of(said.text) & UNHELD for said in request.words):
        return ()
    taken = {end for contact in request.contacts for end in (contact.first, contact.second)}
    ends = [[(p, JOINTS[joint]) for joint in WRISTS] for p in (0, 1)]
    apart = rot.length(poses.places[0][:, WRISTS, None] - poses.places[1][:, None, WRISTS])  # [T, 2, 2]
    near = apart < NEAR * poses.sizes.mean()
    if (near.sum(0) < LONG * FPS).all():
        return ()
    near &= (apart == apart.min(1, keepdims=True)) & (apart == apart.min(2, keepdims=True))
    near &= np.maximum(yielding[0][:, :, None], yielding[1][:, None, :]) == 1.0
    near &= apart - _forearms(poses.places) < CROSSED
    near &= ~_alone(request.solos, poses.times)
    spans = [
        (first, last, (ends[0][a], ends[1][b]))
        for a, b in np.ndindex(2, 2)
        if ends[0][a] not in taken and ends[1][b] not in taken
        for first, last in runs(near[:, a, b])
        if last - first >= LONG * FPS
    ]
    out = []
    for span in sorted(spans, key=lambda s: s[0] - s[1]):  # the longest first
        if not any(_too_soon(span, other) for other in out):
            out.append(span)
    size, times = HELD * poses.sizes.mean(), poses.times
    return tuple(Contact(*pair, size, times[first], times[last - 1]) for first, last, pair in out)


def _alone(solos, times):
    """Frames `[T, 2, 2]` in which either of two wrists moves at least half as if nobody else were there."""
    alone = np.zeros((len(times), 2), bool)
    for solo in solos:
        last = times[-1] if solo.end is None else solo.end
        inside = (times >= solo.start) & (times <= last) & (solo.weight >= 0.5)
        alone |= inside[:, None] & np.isin([JOINTS[joint] for joint in WRISTS], solo.joints)
    return alone[:, :, None] | alone[:, None, :]


def _forearms(places):
    """Metres `[T, 2, 2]` between the forearms of both persons, places `[2, T, 22, 3]`."""
    ends = np.moveaxis(places[:, :, ARMS[:, 1:]], (3, 4), (1, 2))  # [2 persons, 2 ends, 3, T, 2 arms]
    mine, theirs = np.broadcast_arrays(ends[0][..., :, None], ends[1][..., None, :])
    return np.sqrt((closest(mine, theirs)[2] ** 2).sum(0))


def _too_soon(one, other):
    """Whether two holds (first frame, one past the last, both ends) want one hand in two places within APART."""
    gap = max(one[0] - other[1], other[0] - one[1]) / FPS
    return gap < APART and bool(set(one[2]) & set(other[2]))
