"""ASF/AMC (Acclaim): the form in which the CMU and HDM05 databases were recorded.

A bone becomes a joint at the bone's start whose rest axes are the world's: with C the bone's `axis` and M the turn that
a frame gives, its local rotation is C M C^-1. Both files are Y up. An AMC file does not say its frame rate.
"""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from .. import rotations as rot
from .recording import FileError, Recording, axes_rotation, read_text

INCH = 0.0254  # metres; lengths in ASF files are inches times the `length` of :units
AXES = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True)
class Skeleton:
    """An ASF file. `starts [J, 3]`: each joint from its parent; `frames [J, 4]`: the bones' own axes (C)."""

    names: tuple[str, ...]
    parents: np.ndarray
    starts: np.ndarray
    frames: np.ndarray
    dofs: tuple[tuple[str, ...], ...]
    root_place: np.ndarray
    end_parents: np.ndarray
    end_offsets: np.ndarray
    metres_per_unit: float


def read(asf_path, amc_path, fps=120.0):
    """One trial -> Recording. `fps`: 120 throughout both databases but for a few trials of CMU's."""
    return read_amc(amc_path, read_asf(asf_path), fps)


# --- skeleton ---------------------------------------------------------------------------------------------------------


def read_asf(path):
    """An ASF file -> Skeleton. Raises FileError."""
    sections = _sections(path)
    missing = [s for s in ("root", "bonedata", "hierarchy") if s not in sections]
    if missing:
        raise FileError(
            f"{path} is no complete ASF file: it lacks :{', :'.join(missing)}. Export or download it again."
        )
    units = {words[0]: words[1] for _, words in sections.get("units", []) if len(words) == 2}
    if units.get("angle", "deg") != "deg":
        raise FileError(f"{path} gives angles in '{units['angle']}'. Convert it to degrees.")
    root = {words[0]: words[1:] for _, words in sections["root"]}
    bones = {"root": _root(path, root)} | _bones(path, sections["bonedata"])
    order = _hierarchy(path, sections["hierarchy"], bones)
    return _skeleton(path, bones, order, root, INCH / float(units.get("length", 1.0)))


def _sections(path):
    """Section name -> [(line number, words)]."""
    sections, current = {}, None
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.replace("(", " ").replace(")", " ").split()
        if not words or line.lstrip().startswith("#"):
            continue
        if words[0].startswith(":"):
            current = sections.setdefault(words[0][1:].lower(), [])
        elif current is not None:
            current.append((number, words))
    return sections


def _root(path, root):
    try:
        order = tuple(w.lower() for w in root["order"])
        axis, turn = root.get("axis", ["XYZ"])[0], [float(v) for v in root.get("orientation", (0, 0, 0))]
    except (KeyError, ValueError) as error:
        raise FileError(f"{path}: its :root part is incomplete. Export or download it again.") from error
    return {"dof": order, "frame": _turn([f"r{a}" for a in axis.lower()], np.array(turn)), "end": np.zeros(3)}


def _bones(path, lines):
    """Bone name -> {dof, frame, end}: its free axes, own axes, and its end from its start."""
    bones, current = {}, None
    for number, words in lines:
        key = words[0].lower()
        try:
            if key == "begin":
                current = {"dof": (), "frame": rot.IDENTITY}
            elif key == "name":
                name = words[1]
            elif key in ("direction", "length"):
                current[key] = np.array(words[1:4], float)
            elif key == "axis":
                current["frame"] = _turn([f"r{a}" for a in words[4].lower()], np.array(words[1:4], float))
            elif key == "dof":
                current["dof"] = tuple(w.lower() for w in words[1:])
            elif key == "end":
                current["end"] = rot.normalize(current["direction"]) * current["length"]
                bones[name], current = current, None
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise FileError(
                f"{path}, line {number}: this bone is incomplete. Export or download the file again."
            ) from error
    for name, bone in bones.items():
        if not set(bone["dof"]) <= {"rx", "ry", "rz"}:
            raise FileError(f"{path}: bone {name} moves in {' '.join(bone['dof'])}; only rx, ry, rz are read.")
    return bones


def _hierarchy(path, lines, bones):
    """(bone, parent) with parents first."""
    order = [("root", None)]
    for number, words in lines:
        if words[0] in ("begin", "end"):
            continue
        unknown = [w for w in words if w not in bones]
        if unknown or words[0] not in [name for name, _ in order]:
            raise FileError(
                f"{path}, line {number}: '{(unknown or words)[0]}' has no place in the skeleton. Export it again."
            )
        order += [(child, words[0]) for child in words[1:]]
    return order


def _skeleton(path, bones, order, root, metres_per_unit):
    names = tuple(name for name, _ in order)
    place = {name: j for j, name in enumerate(names)}
    with_child = {parent for _, parent in order}
    leaves = [name for name in names if name not in with_child]
    try:
        root_place = np.array(root.get("position", (0, 0, 0)), float)
    except ValueError as error:
        raise FileError(f"{path}: its root's position is no number. Export or download it again.") from error
    return Skeleton(
        names=names,
        parents=np.array([-1 if parent is None else place[parent] for _, parent in order]),
        starts=np.array([np.zeros(3) if parent is None else bones[parent]["end"] for _, parent in order]),
        frames=np.array([bones[name]["frame"] for name in names]),
        dofs=tuple(bones[name]["dof"] for name in names),
        root_place=root_place,
        end_parents=np.array([place[name] for name in leaves], int),
        end_offsets=np.array([bones[name]["end"] for name in leaves]).reshape(-1, 3),
        metres_per_unit=metres_per_unit,
    )


def _turn(dofs, degrees):
    """Rotation of values `[..., K]` about the named axes; the first named is applied first, so it stands innermost."""
    axes = [AXES[d[1]] for d in dofs]
    return axes_rotation(axes[::-1], degrees[..., ::-1])


# --- motion -----------------------------------------------------------------------------------------------------------


def read_amc(path, skeleton, fps=120.0):
    """An AMC file of a skeleton -> Recording at `fps` frames a second. Raises FileError."""
    values = _read_frames(path, skeleton)
    frames = len(values["root"])
    translations = np.tile(skeleton.starts, (frames, 1, 1))
    rotations = np.tile(rot.IDENTITY, (frames, len(skeleton.names), 1))
    for j, (name, dofs) in enumerate(zip(skeleton.names, skeleton.dofs)):
        turns = [k for k, d in enumerate(dofs) if d[0] == "r"]
        if turns:
            local = _turn([dofs[k] for k in turns], values[name][:, turns])
            own = skeleton.frames[j]
            rotations[:, j] = rot.multiply(rot.multiply(own, local), rot.conjugate(own))
    for k, d in enumerate(skeleton.dofs[0]):
        if d[0] == "t":
            translations[:, 0, AXES[d[1]]] = skeleton.root_place[AXES[d[1]]] + values["root"][:, k]
    return Recording(
        skeleton.names, skeleton.parents, skeleton.starts, translations, rotations, fps,
        skeleton.end_parents, skeleton.end_offsets, skeleton.metres_per_unit,
    )  # fmt: skip


def _read_frames(path, skeleton):
    """Bone name -> values `[T, K]` of its K free axes."""
    width = {name: len(dofs) for name, dofs in zip(skeleton.names, skeleton.dofs) if dofs}
    values, frame = {name: [] for name in width}, 0
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith(("#", ":")):
            if words and words[0].upper() == ":RADIANS":
                raise FileError(f"{path} gives angles in radians. Convert it to degrees.")
        elif len(words) == 1 and words[0].isdigit():
            _check_frame(path, values, frame)
            frame += 1
        else:
            _add_values(path, number, words, width, values)
    _check_frame(path, values, frame)
    if frame == 0:
        raise FileError(f"{path} holds no frames. Choose an .amc file, or download it again.")
    return {name: np.array(rows) for name, rows in values.items()}


def _add_values(path, number, words, width, values):
    name = words[0]
    if name not in width:
        raise FileError(
            f"{path}, line {number}: the skeleton has no moving bone '{name}'. Choose the ASF file of this trial."
        )
    try:
        row = [float(w) for w in words[1:]]
    except ValueError:
        row = []
    if len(row) != width[name] or not all(map(isfinite, row)):
        raise FileError(
            f"{path}, line {number}: {name} needs {width[name]} numbers. Choose its ASF, or download it again."
        )
    values[name].append(row)


def _check_frame(path, values, frame):
    short = [name for name, rows in values.items() if len(rows) != frame]
    if short:
        raise FileError(
            f"{path} breaks off in frame {frame}: {', '.join(short[:3])} missing or double. Download it again."
        )
