"""What a motion file holds: joints, their rest offsets and their motion, in the file's own axes and units."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import rotations as rot


class FileError(ValueError):
    """A file that can't be read or written; the message names the file, the cause and the remedy."""


@dataclass(frozen=True)
class Recording:
    """One character's recorded motion over T frames and J joints, parents before children.

    `offsets [J, 3]`: from each joint's parent at rest. `translations [T, J, 3]`: the same while moving (a joint without
    position channels keeps its offset; the root's is its place in the world). `rotations [T, J, 4]`: against the
    parent, identity at rest. `end_parents [E]`, `end_offsets [E, 3]`: bones' ends that carry no joint.
    `metres_per_unit`: where the file says it, else None.
    """

    names: tuple[str, ...]
    parents: np.ndarray
    offsets: np.ndarray
    translations: np.ndarray
    rotations: np.ndarray
    fps: float
    end_parents: np.ndarray
    end_offsets: np.ndarray
    metres_per_unit: float | None = None

    @property
    def frames(self):
        """Number of frames T."""
        return len(self.rotations)


def world(recording):
    """Joint positions `[T, J, 3]` and rotations `[T, J, 4]` against the world, in the file's axes and units."""
    places, turned = np.array(recording.translations), np.array(recording.rotations)
    for j, parent in enumerate(recording.parents):
        if parent >= 0:
            places[:, j] = places[:, parent] + rot.rotate(turned[:, parent], recording.translations[:, j])
            turned[:, j] = rot.multiply(turned[:, parent], recording.rotations[:, j])
    return places, turned


def end_positions(recording, places, turned):
    """World positions of the bones' ends `[T, E, 3]` from what `world` returns."""
    parents = recording.end_parents
    return places[:, parents] + rot.rotate(turned[:, parents], recording.end_offsets)


def read_text(path):
    """The text of a file, whatever its bytes. Raises FileError where it can't be read."""
    try:
        return Path(path).read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise FileError(
            f"{path} can't be read ({error.strerror}). Choose another file, or allow reading it."
        ) from error


def axis_rotation(axis, degrees):
    """Turns about one coordinate axis (0, 1 or 2). `degrees [...]` -> quaternions `[..., 4]`."""
    half = np.radians(np.asarray(degrees, float)) / 2
    out = np.zeros((*half.shape, 4))
    out[..., 0], out[..., 1 + axis] = np.cos(half), np.sin(half)
    return out


def axes_rotation(axes, degrees):
    """Turns about K coordinate axes, the first one outermost. `degrees [..., K]` -> quaternions `[..., 4]`."""
    degrees = np.asarray(degrees, float)
    out = np.broadcast_to(rot.IDENTITY, (*degrees.shape[:-1], 4))
    for k, axis in enumerate(axes):
        out = rot.multiply(out, axis_rotation(axis, degrees[..., k]))
    return out
