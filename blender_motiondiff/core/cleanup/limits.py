"""How far joints of a foot bend to put it where it belongs: no farther than people's do."""

import numpy as np

from .. import rotations as rot

# Radians about X, Y and Z that ankles and toes are bent, turned and tilted at most to put a foot where it belongs.
ANKLE_BENDS, TOES_BEND = np.array([1.2, 1.0, 1.0]), np.array([1.0, 0.35, 0.35])


def as_joints_bend(turn, old, above, old_above, most):
    """World rotations `turn [..., 4]` of joints turned no farther against those `above` than `most` says, or than
    they were before.
    """
    # The scalar part of what lies between two rotations says its angle.
    far = np.abs(rot.dot(above, turn)) < np.cos(0.5 * most.min())
    if not far.any():
        return turn
    now, before = (
        rot.to_rotvec(rot.multiply(rot.conjugate(a[far]), t[far])) for a, t in ((above, turn), (old_above, old))
    )
    bent = np.clip(now, np.minimum(before, -most), np.maximum(before, most))
    changed = (bent != now).any(-1)
    out = turn.copy()
    out[far] = np.where(changed[:, None], rot.multiply(above[far], rot.from_rotvec(bent)), turn[far])
    return out
