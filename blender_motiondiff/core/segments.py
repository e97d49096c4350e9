"""Pieces of straight lines, coordinates first: the closest points of two."""

import numpy as np


def dot(a, b):
    """Scalar products of vectors `[3, N]`."""
    out = a[0] * b[0]
    out += a[1] * b[1]
    out += a[2] * b[2]
    return out


def _clamped(share):
    return np.minimum(np.maximum(share, 0.0), 1.0)


def closest(a, b):
    """Closest points of line pieces `a`, `b` `[2, 3, N]`: shares along both `[N]` and the way from b's to a's `[3, N]`.

    Ericson 2005, Real-Time Collision Detection, section 5.1.9: the closest point of the endless lines, clamped, then
    each piece's closest point to the other's, in turn.
    """
    da, db, gap = a[1] - a[0], b[1] - b[0], a[0] - b[0]
    aa, bb, ab = dot(da, da), dot(db, db), dot(da, db)
    ag, bg = dot(da, gap), dot(db, gap)
    aa, bb = np.maximum(aa, 1e-12), np.maximum(bb, 1e-12)
    cross = aa * bb - ab * ab
    s = np.where(cross > 1e-12, _clamped((ab * bg - ag * bb) / np.maximum(cross, 1e-12)), 0.0)
    t = _clamped((ab * s + bg) / bb)
    s = _clamped((ab * t - ag) / aa)
    return s, t, gap + s * da - t * db
