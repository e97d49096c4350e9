"""The characters of the demo's clips: who stands where, and what moves them before anything is generated."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from tools import rigs
from tools.demo import bodies, paths, poses
from tools.demo.installed import map_rig
from tools.demo.measure import snapshot

FPS = 24
FIRST, LAST = 101, 245  # 6 s
KEYS = (  # seconds into the clip, pose, whether the hips' location is keyed as well
    (2.0, poses.HANDS_UP, True),
    (4.25, poses.REACH_DOWN, False),
)


@dataclass
class KeyedPose:
    """A pose as it was keyed: joint places `[22, 3]` and turns `[22, 3, 3]` in the world, read off the rig."""

    frame: int
    places: np.ndarray
    turns: np.ndarray
    has_place: bool


@dataclass
class Case:
    """One clip of the demo and what it is measured against. Objects go by their names, so that it outlives a file."""

    name: str
    title: str
    walker: str  # character A
    partner: str = ""  # character B
    curve: str = ""
    truth: str = ""  # the recorded partner's armature, where one is known
    keys: list = field(default_factory=list)
    frames: tuple = (FIRST, LAST)
    place: str = ""  # the collection that holds all of it
    clip: int = -1  # index of the clip in the scene's list

    @property
    def is_reaction(self):
        """Whether there is a partner."""
        return bool(self.partner)

    @property
    def moved(self):
        """The armature that is generated."""
        return bpy.data.objects[self.partner or self.walker]

    @property
    def range(self):
        """Frames of the clip, as integers."""
        return np.arange(self.frames[0], self.frames[1] + 1)

    def again(self, name, title):
        """The same under another name, for another clip in the list, in the same place."""
        return replace(self, name=name, title=title, clip=-1)

    def led_by(self, walker):
        """The same with another armature (by its name) as character A."""
        return replace(self, walker=walker)


def save_cases(cases, path):
    """Writes cases as JSON."""
    Path(path).write_text(json.dumps([asdict(case) for case in cases], default=lambda array: array.tolist()))


def load_cases(path):
    """The cases of a JSON file; their objects are looked up in the open .blend."""
    out = []
    for row in json.loads(Path(path).read_text()):
        keys = [KeyedPose(**{**k, "places": np.array(k["places"]), "turns": np.array(k["turns"])}) for k in row["keys"]]
        out.append(Case(**{**row, "keys": keys, "frames": tuple(row["frames"])}))
    return out


def path_case(scene, name, title, corner):
    """A Mixamo rig that stands beside the start of an S-shaped path; `corner [2]`: where on the ground."""
    x, y = corner
    curve = paths.add_curve(scene.collection, f"{name} path", (x, y, 0.0), np.radians(20))
    walker = rigs.mixamo(f"{name} walker", location=(x + 1.1, y - 0.4, 0.0), turn=np.radians(35))
    return Case(name, title, walker=walker.name, curve=curve.name, place=title)


def key_poses(scene, case, body):
    """Keys the poses of KEYS on the rig's own action, each facing along the path, and notes them in the case.

    `body`: the walker's mesh; a translucent copy of it stays at each pose.
    """
    walker, line = bpy.data.objects[case.walker], paths.polyline(bpy.data.objects[case.curve])
    bones = map_rig(walker).bones
    seconds = (case.frames[1] - case.frames[0]) / FPS
    for when, pose, with_location in KEYS:
        frame, share = case.frames[0] + round(when * FPS), when / seconds
        scene.frame_set(frame)
        poses.set_pose(walker, bones, pose, paths.heading_at(line, share))
        poses.place_hips(walker, bones, bpy.context.view_layer, paths.at_shares(line, [share])[0])
        poses.key_pose(walker, bones, frame, with_location)
        places, turns = snapshot(walker)
        case.keys.append(KeyedPose(frame, places, turns, with_location))
        bodies.ghost(body, "violet", body.users_collection[0], f"Keyed pose {len(case.keys)}")


def reaction_case(name, title, leader, corner):
    """A leader from a BVH file and Rigify's metarig, a tenth smaller than it comes, that shall react to it.

    `leader`: a tools.demo.leaders.Leader. `corner [2]`: where the origin of its recording comes to stand.
    """
    base = Matrix.Translation((*corner, 0.0)) @ Matrix.Rotation(np.radians(25), 4, "Z")
    walker = import_bvh(leader.path, leader.scale, f"{name} leader")
    walker.matrix_world = base
    beside = (corner[0] + 2.0, corner[1] - 1.5, 0.0)
    partner = rigs.metarig(f"{name} partner", location=beside, turn=np.radians(-50), size=0.9)
    last = min(LAST, FIRST + int(leader.seconds * FPS + 1e-6))
    case = Case(name, title, walker=walker.name, partner=partner.name, frames=(FIRST, last), place=title)
    if leader.partner is not None:
        truth = import_bvh(leader.partner, leader.scale, f"{name} recorded partner")
        truth.matrix_world = base
        truth.hide_render = True
        case.truth = truth.name
    bpy.context.view_layer.update()
    return case


def import_bvh(path, scale, name):
    """Blender's own import of a BVH file from FIRST on, at the scene's rate; the scene's range stays."""
    bpy.ops.import_anim.bvh(
        filepath=str(path), axis_forward="-Z", axis_up="Y", global_scale=scale, frame_start=FIRST,
        use_fps_scale=True, update_scene_fps=False, update_scene_duration=False,
    )  # fmt: skip
    armature = bpy.context.object
    armature.name = name
    return armature


def align_first_frame(scene, moved, still, frame):
    """Turns and shifts the object `moved` so that its hips start where and as those of `still` do."""
    scene.frame_set(frame)
    place, yaw = stand(still)
    own_place, own_yaw = stand(moved)
    turn = Matrix.Rotation(yaw - own_yaw, 4, "Z")
    shift = Matrix.Translation((*place, 0.0)) @ turn @ Matrix.Translation((-own_place[0], -own_place[1], 0.0))
    moved.matrix_world = shift @ moved.matrix_world
    bpy.context.view_layer.update()


def stand(armature):
    """Where an armature's hips are on the ground now `[2]`, and which way they face (radians, 0 faces -Y)."""
    bones = map_rig(armature).bones
    left, right = (armature.matrix_world @ armature.pose.bones[bones[f"{s}_hip"]].head for s in ("left", "right"))
    across = np.array(left - right)[:2]
    return np.array(0.5 * (left + right))[:2], float(np.arctan2(across[1], across[0]))
