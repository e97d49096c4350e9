"""Motions that pass through their keys without a jolt."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.corners import REACH, SHORTEST, rounded
from blender_motiondiff.core.motion import Motion
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body

FRAMES, KEY = 61, 30
NOWHERE = np.zeros(FRAMES, bool)
ELBOW = INDEX["left_elbow"]


def bent_at(key, before=0.01, after=-0.02, bow=0.0):
    """Somebody whose root and left elbow change their speeds at a frame, on top of a bow (half an acceleration)."""
    time = np.arange(FRAMES) - key
    track = np.where(time < 0, before * time, after * time) + bow * time**2
    rotations = np.tile(rot.IDENTITY, (FRAMES, COUNT, 1))
    rotations[:, ELBOW] = rot.from_rotvec(track[:, None] * np.array([0.0, 0.0, 3.0]))
    return Motion(track[:, None] * np.array([1.0, 0.0, 2.0]), rotations, average_body())


def bends(motion):
    """How much speeds change at each frame but the outermost: of the root's height, and of the elbow's turn."""
    turn = rot.to_rotvec(motion.rotations[:, ELBOW])[:, 2]
    return np.abs(np.diff(np.stack([motion.root[:, 2], turn], -1), n=2, axis=0))


def test_the_corner_is_gone_and_the_key_stays_exactly():
    before = bent_at(KEY)
    after = rounded(before, [KEY], NOWHERE)
    np.testing.assert_array_equal(after.root[KEY], before.root[KEY])
    np.testing.assert_allclose(after.rotations[KEY], before.rotations[KEY], atol=1e-15)
    assert (bends(after).max(0) < 0.35 * bends(before).max(0)).all()


def test_what_is_farther_away_stays_exactly():
    before = bent_at(KEY)
    after = rounded(before, [KEY], NOWHERE)
    far = np.abs(np.arange(FRAMES) - KEY) >= REACH
    np.testing.assert_array_equal(after.root[far], before.root[far])
    np.testing.assert_allclose(after.rotations[far], before.rotations[far], atol=1e-12)


def test_a_bow_is_no_corner():
    before = bent_at(KEY, 0.01, 0.01, bow=0.001)
    np.testing.assert_allclose(rounded(before, [KEY], NOWHERE).root, before.root, atol=1e-12)


@pytest.mark.parametrize("frames", [[0], [FRAMES - 1], [KEY, KEY + 1], [KEY, KEY + SHORTEST - 1]])
def test_keys_at_the_ends_and_close_to_each_other_are_left_alone(frames):
    before = bent_at(KEY)
    np.testing.assert_array_equal(rounded(before, frames, NOWHERE).root, before.root)


def test_other_keys_and_what_is_kept_stay_as_they_are():
    bound = NOWHERE.copy()
    bound[: KEY - 5] = True
    before = bent_at(KEY)
    after = rounded(before, [KEY, KEY + 6], bound)
    same = [*range(KEY - 5), KEY, KEY + 6]
    np.testing.assert_allclose(after.root[same], before.root[same], atol=1e-15)
    assert bends(after)[KEY - 1, 0] < 0.6 * bends(before)[KEY - 1, 0]


@pytest.mark.parametrize("kept", [slice(KEY, FRAMES), slice(0, KEY + 1)])
def test_where_what_is_kept_begins_or_ends_the_rest_takes_up_its_speed(kept):
    bound = NOWHERE.copy()
    bound[kept] = True
    before = bent_at(KEY)
    after = rounded(before, [], bound)
    np.testing.assert_array_equal(after.root[kept], before.root[kept])
    np.testing.assert_array_equal(after.rotations[kept], before.rotations[kept])
    assert (bends(after).max(0) < 0.5 * bends(before).max(0)).all()
