"""How corrections of joint places spread over the body and over time: the metric of projection and guidance."""

from functools import lru_cache

import numpy as np

from ..skeleton import COUNT, PARENTS, average_body

REACH = 1.0  # seconds to either side over which a correction fades; half of it is gone after 0.3 s
STIFFNESS = 0.03  # lambda of the body's metric: moving a wrist takes the shoulder along by about a half
BONE = 0.2  # metres: a bone this long counts as one edge of weight 1, shorter ones are stiffer


def time_kernel(apart, reach):
    """Wendland's function phi_3,1 of the distance `apart` (any unit, that of `reach`): 1 at 0, 0 from `reach` on.

    Positive definite on the line, twice differentiable (Wendland 1995; Scattered Data Approximation, table 9.1).
    """
    r = np.minimum(np.abs(apart) / reach, 1.0)
    return (1 - r) ** 4 * (4 * r + 1)


@lru_cache(maxsize=4)
def skeleton_kernel(stiffness=STIFFNESS):
    """(Laplacian of the skeleton + stiffness I)^-1 `[22, 22]`, scaled to a mean of 1 on its diagonal.

    Edges weigh BONE / length, so a metre of spine gives as much as a metre of arm, however many joints it has.
    Not to be written to: it is kept.
    """
    lengths = np.linalg.norm(average_body().offsets, axis=-1)
    matrix = stiffness * np.eye(COUNT)
    for j in range(1, COUNT):
        p, weight = PARENTS[j], BONE / lengths[j]
        matrix[[j, p], [j, p]] += weight
        matrix[[j, p], [p, j]] -= weight
    kernel = np.linalg.inv(matrix)
    kernel /= kernel.diagonal().mean()
    kernel.flags.writeable = False
    return kernel


def spread(field, body, reach):
    """K field: `[P, T, 22, C]` smoothed by `body [22, 22]` and by the time kernel of `reach` frames, 0 beyond the ends.

    Time comes first, and only joints and frames with anything near are smoothed: wishes are about few of them.
    """
    out = np.zeros_like(field)
    used = np.flatnonzero(field.any((0, 2, 3)))
    if not len(used):
        return out
    person, joint = np.nonzero(field.any((1, 3)))
    span, frames = int(np.ceil(reach)), field.shape[1]
    low, high = max(0, used[0] - span), min(frames, used[-1] + span + 1)
    near = np.ascontiguousarray(field[person, used[0] : used[-1] + 1, joint].swapaxes(0, 1))  # [S, A, C]
    smooth = np.zeros((high - low, *near.shape[1:]), field.dtype)
    shares = time_kernel(np.arange(-span, span + 1), reach).tolist()
    for apart, share in zip(range(-span, span + 1), shares, strict=True):
        first = max(0, used[0] - low + apart)
        last = min(high - low, used[-1] + 1 - low + apart)
        if last > first:
            skip = first - (used[0] - low) - apart
            smooth[first:last] += share * near[skip : skip + last - first]
    for p in np.unique(person):
        out[p, low:high] = body[:, joint[person == p]] @ smooth[:, person == p]
    return out
