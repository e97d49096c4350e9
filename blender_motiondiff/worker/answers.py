"""Takes as messages: a header and arrays for `wire`, and back."""

import numpy as np

from ..core.motion import Motion
from ..core.request import Take
from ..core.skeleton import Body


def pack(takes):
    """A list of Take -> `(plain, arrays)`; `unpack` gives the same takes back."""
    plain, arrays = [], []
    for take in takes:
        plain.append({"report": take.report, "fps": [m.fps for m in take.motions]})
        arrays += [take.times, take.contacts]
        for m in take.motions:
            arrays += [m.root, m.rotations, m.body.offsets]
    return plain, [np.asarray(a) for a in arrays]


def unpack(plain, arrays):
    """What `pack` made -> a list of Take."""
    source = iter(arrays)
    takes = []
    for item in plain:
        times, contacts = next(source), next(source)
        motions = tuple(Motion(next(source), next(source), Body(next(source)), fps) for fps in item["fps"])
        takes.append(Take(motions=motions, times=times, contacts=contacts, report=item["report"]))
    return takes
