import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.files import asf
from blender_motiondiff.core.files.recording import FileError, end_positions, world

from .originals import assert_recorded, originals

SKELETON = """# made by hand
:version 1.10
:name TEST
:units
  mass 1.0
  length 0.5
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name hipjoint
     direction 2 0 0
     length 1
     axis 0 0 0  XYZ
  end
  begin
     id 2
     name femur
     direction 0 -1 0
     length 4
     axis 0 0 90  XYZ
     dof rx rz
     limits (-160.0 20.0)
            (-60.0 70.0)
  end
:hierarchy
  begin
    root hipjoint
    hipjoint femur
  end
"""
FRAMES = """#!OML:ASF made by hand
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
femur 0 0
2
root 1 2 3 0 90 0
femur 90 0
"""


def files(folder, skeleton=SKELETON, frames=FRAMES):
    paths = folder / "t.asf", folder / "t.amc"
    for path, text in zip(paths, (skeleton, frames), strict=True):
        path.write_text(text)
    return paths


def test_a_trial_made_by_hand_is_read_as_it_is_written(tmp_path):
    recording = asf.read(*files(tmp_path), fps=60.0)
    assert recording.names == ("root", "hipjoint", "femur")
    assert recording.parents.tolist() == [-1, 0, 1]
    assert recording.fps == 60.0
    assert np.isclose(recording.metres_per_unit, 0.0254 / 0.5)
    places, turned = world(recording)
    assert np.allclose(places[0], [[1, 2, 3], [1, 2, 3], [2, 2, 3]])
    # The root's turn about Y takes X to -Z.
    assert np.allclose(places[1], [[1, 2, 3], [1, 2, 3], [1, 2, 2]])
    ends = end_positions(recording, places, turned)
    assert np.allclose(ends[0], [[2, -2, 3]])
    # The femur's own X axis is the world's Y (its axis turns 90 degrees about Z): a turn about it leaves -Y alone.
    assert np.allclose(ends[1], [[1, -2, 2]])
    assert np.allclose(recording.rotations[1, 2], rot.from_rotvec(np.array([0, np.pi / 2, 0])))


def test_the_first_named_axis_is_turned_about_first(tmp_path):
    recording = asf.read(*files(tmp_path, frames=FRAMES.replace("0 90 0", "90 0 90")))
    # X first, then Z: Y goes to Z and stays there.
    assert np.allclose(rot.rotate(recording.rotations[1, 0], np.array([0, 1.0, 0])), [0, 0, 1])


WRONG_SKELETONS = {
    "empty": ("", "lacks :root, :bonedata, :hierarchy"),
    "cut short": (SKELETON.split(":hierarchy", maxsplit=1)[0], "lacks :hierarchy"),
    "radians": (SKELETON.replace("angle deg", "angle rad"), "angles in 'rad'"),
    "no length": (SKELETON.replace("     length 4\n", ""), "line 29: this bone is incomplete"),
    "a direction of words": (SKELETON.replace("direction 0 -1 0", "direction a b c"), "line 24"),
    "an axis cut short": (SKELETON.replace("axis 0 0 90  XYZ", "axis 0 0"), "line 26"),
    "a bone that stretches": (SKELETON.replace("dof rx rz", "dof rx l"), "femur moves in rx l"),
    "an unknown bone": (SKELETON.replace("hipjoint femur", "hipjoint tibia"), "'tibia' has no place"),
    "a bone without parent": (SKELETON.replace("    root hipjoint\n", ""), "'hipjoint' has no place"),
    "a root without order": (SKELETON.replace("order TX TY TZ RX RY RZ", ""), "its :root part is incomplete"),
}


@pytest.mark.parametrize("case", WRONG_SKELETONS)
def test_broken_skeletons_are_refused_with_file_and_cause(tmp_path, case):
    text, words = WRONG_SKELETONS[case]
    skeleton, _ = files(tmp_path, skeleton=text)
    with pytest.raises(FileError, match=words) as caught:
        asf.read_asf(skeleton)
    assert str(skeleton) in str(caught.value)


WRONG_FRAMES = {
    "empty": ("", "holds no frames"),
    "radians": (FRAMES.replace(":DEGREES", ":RADIANS"), "in radians"),
    "another skeleton": (FRAMES.replace("femur", "tibia"), "no moving bone 'tibia'"),
    "a value too few": (FRAMES.replace("femur 90 0", "femur 90"), "line 9: femur needs 2 numbers"),
    "no number": (FRAMES.replace("femur 90 0", "femur 90 x"), "line 9: femur needs 2 numbers"),
    "cut in a frame": (FRAMES.rsplit("femur", 1)[0], "breaks off in frame 2: femur"),
    "a bone twice": (FRAMES.replace("femur 0 0\n", "femur 0 0\nfemur 0 0\n"), "frame 1: femur"),
}


@pytest.mark.parametrize("case", WRONG_FRAMES)
def test_broken_motions_are_refused_with_file_and_cause(tmp_path, case):
    text, words = WRONG_FRAMES[case]
    paths = files(tmp_path, frames=text)
    with pytest.raises(FileError, match=words) as caught:
        asf.read(*paths)
    assert str(paths[1]) in str(caught.value)


def test_recorded_files_are_read_as_the_database_has_them(tmp_path):
    for path in originals(tmp_path, "asf-amc", ".amc"):
        skeleton = path.with_name(path.stem.split("_")[0] + ".asf")
        recording = asf.read(skeleton, path)
        assert np.isclose(recording.metres_per_unit, 0.0254 / 0.45)
        assert_recorded(recording, path.stem, 0, 2)
