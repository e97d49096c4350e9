"""Hands that a couple would hold: where an answer brings them near each other and keeps them there, they meet.

The estimate of least error of a hand that is held at one of several moments is a hand in the air beside the other.
Recorded couples hold hands with their wrists at a palm's length from each other.
"""

import numpy as np

from .. import rotations as rot
from ..cleanup.plants import runs
from ..motion import FPS
from ..request import Contact
from ..skeleton import JOINTS
from ..words import tags_of
from .apart import ARMS

NEAR = 0.30  # metres between two wrists, for bodies of size 1, that come to be held ...
LONG = 0.5  # ... seconds for which they are as near
HELD = 0.14  # metres between wrists of hands that are held
UNHELD = {"apart", "pass", "talk", "box", "punch", "martial", "sword"}  # of whom this is said hold nobody's hands
WRISTS = ARMS[:, 2]


def held(poses, yielding, request):
    """Contacts of wrists that are near each other for a while, where an arm of either can give way.

    `yielding [2, T, 2]`: how far arms may (apart.room). Joints of the request's own contacts are left to those.
    """
    if any(tags_of(said.text) & UNHELD for said in request.words):
        return ()
    taken = {end for contact in request.contacts for end in (contact.first, contact.second)}
    ends = [[(p, JOINTS[joint]) for joint in WRISTS] for p in (0, 1)]
    apart = rot.length(poses.places[0][:, WRISTS, None] - poses.places[1][:, None, WRISTS])  # [T, 2, 2]
    nearest = (apart == apart.min(1, keepdims=True)) & (apart == apart.min(2, keepdims=True))
    free = np.maximum(yielding[0][:, :, None], yielding[1][:, None, :]) == 1.0
    near = nearest & free & (apart < NEAR * poses.sizes.mean())
    out = []
    for a in (0, 1):
        for b in (0, 1):
            if ends[0][a] in taken or ends[1][b] in taken:
                continue
            for first, last in runs(near[:, a, b]):
                if last - first >= LONG * FPS:
                    span = poses.times[first], poses.times[last - 1]
                    out.append(Contact(ends[0][a], ends[1][b], HELD * poses.sizes.mean(), *span))
    return tuple(out)
