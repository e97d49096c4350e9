"""How far joints of a foot bend to put it where it belongs: no farther than people's do."""

import numpy as np

from .. import rotations as rot

# Radians about X, Y and Z that ankles and toes are bent, turned and tilted at most to put a foot where it belongs.
ANKLE_BENDS, TOES_BEND = np.array([1.2, 1.0, 1.0]), np.array([1.0, 0.35, 0.35])


def as_joints_bend(turn, old, above, old_above, most):
    """World rotations `turn [..., 4]` of joints turned no farther against those `above` than `most` says, or than
    they were before.
    """
    now = rot.to_rotvec(rot.multiply(rot.conjugate(above), turn))
    far = (np.abs(now) > most).any(-1)
    if not far.any():
        return turn
    before = rot.to_rotvec(rot.multiply(rot.conjugate(old_above[far]), old[far]))
    bent = np.clip(now[far], np.minimum(before, -most), np.maximum(before, most))
    out = turn.copy()
    out[far] = rot.multiply(above[far], rot.from_rotvec(bent))
    return out
