"""Where the camera of a picture stands: from the side of the action, as near as all of it allows."""

import numpy as np
from mathutils import Vector

from blender_motiondiff.core import rotations as rot
from tools.demo.stage import beside

LENS, SENSOR = 50.0, 36.0  # millimetres
ELEVATION = 15.0  # degrees
ROOM = 0.92  # share of the picture that what is looked at may fill
FLESH = 0.13  # metres about joints
TRAVELS = 0.5  # metres: standard deviation on the ground from which on somebody goes somewhere
OBLIQUE = 35.0  # degrees beside the front of somebody who stays


def azimuths(motions):
    """The side, in degrees from -Y, from which each frame is looked at `[T]`."""
    if len(motions) == 2:
        apart = motions[1].root - motions[0].root
        if np.linalg.norm(apart[:, :2], axis=1).min() > 0.15:
            sides = beside(apart, motions[0].fps)
            back = np.cos(np.radians(sides[None] - [front_of(m) for m in motions])).mean() < -0.05
            return sides + 180.0 * back + side_by_side(motions, apart)
    root = motions[0].root[:, :2]
    front = float(np.degrees(np.angle(np.exp(1j * np.radians(front_of(motions[0]))).mean())))
    value, axes = np.linalg.eigh(np.cov(root.T))
    if value[1] < TRAVELS**2:
        return np.full(len(root), front + OBLIQUE)
    along = np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))  # looking square to the way
    sides = np.array([along, along + 180.0])
    best = sides[np.cos(np.radians(sides - front - 10.0)).argmax()]
    return np.full(len(root), best + 12.0 * np.sign((front - best + 180) % 360 - 180))


def side_by_side(motions, apart):
    """Degrees by which two who go somewhere side by side are looked at from beside their front."""
    way = sum(m.root[-1, :2] - m.root[0, :2] for m in motions) / 2
    line = apart[:, :2].mean(0)
    across = abs(way @ line) < 0.5 * np.linalg.norm(way) * np.linalg.norm(line)
    return OBLIQUE if across and np.linalg.norm(way) > TRAVELS else 0.0


def front_of(motion):
    """Where somebody faces, degrees from -Y `[T]`."""
    return np.degrees(rot.heading(motion.rotations[:, 0]))


def fit(points, azimuth, size, middle, elevation=ELEVATION):
    """(what to look at `[3]`, distance) so that `points [N, 3]` are in a picture of `size` (width, height).

    What is looked at is as deep in the picture as `middle [3]`, so that this has the same scale at the same distance.
    """
    right, up, back = axes_of(azimuth, elevation)
    wide = 0.5 * SENSOR / LENS * ROOM
    slopes = wide, wide * size[1] / size[0]
    flat, depth = points @ np.array([right, up]).T, (points - middle) @ back
    centre = 0.5 * (flat.min(0) + flat.max(0))
    distance = max(((np.abs(flat[:, k] - centre[k]) + FLESH) / slopes[k] + depth).max() for k in range(2))
    return right * centre[0] + up * centre[1] + back * (back @ middle), distance


def axes_of(azimuth, elevation):
    """A camera's axes in the world: to the right, upwards, backwards."""
    turn, rise = np.radians(azimuth), np.radians(elevation)
    back = np.array([np.sin(turn) * np.cos(rise), -np.cos(turn) * np.cos(rise), np.sin(rise)])
    right = np.array([np.cos(turn), np.sin(turn), 0.0])
    return right, np.cross(back, right), back


def stand(camera, target, distance, azimuth, elevation=ELEVATION):
    """Places a camera."""
    back = axes_of(azimuth, elevation)[2]
    camera.location = Vector(target + back * distance)
    camera.rotation_mode = "QUATERNION"
    camera.rotation_quaternion = Vector(-back).to_track_quat("-Z", "Y")
