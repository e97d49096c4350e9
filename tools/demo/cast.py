"""The characters of the demo's clips: who stands where, what moves them before anything is generated."""

from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix

from tools import rigs
from tools.demo import paths, poses
from tools.demo.installed import map_rig

FPS = 24
FIRST, LAST = 101, 245  # 6 s
KEYS = (  # seconds into the clip, pose, whether the hips' location is keyed as well
    (2.0, poses.HANDS_UP, True),
    (4.25, poses.REACH_DOWN, False),
)


@dataclass
class KeyedPose:
    """A pose as it was keyed: its frame, joint places `[22, 3]` and turns `[22, 3, 3]` in the world, on the rig."""

    frame: int
    places: np.ndarray
    turns: np.ndarray
    has_place: bool


@dataclass
class Case:
    """One clip of the demo and what it is measured against."""

    name: str
    title: str
    walker: object = None  # character A
    partner: object = None  # character B
    curve: object = None
    keys: list = field(default_factory=list)
    truth: object = None  # the recorded partner's armature, where one is known
    frames: tuple = (FIRST, LAST)
    clip: int = -1  # index of the clip in the scene's list

    @property
    def bones_a(self):
        """Joint -> bone of character A."""
        return map_rig(self.walker).bones

    @property
    def bones_b(self):
        """Joint -> bone of character B."""
        return map_rig(self.partner).bones


def path_case(scene, name, title, corner, with_keys=True):
    """A Mixamo rig that stands beside the start of an S-shaped path; `corner [2]`: where on the ground."""
    x, y = corner
    curve = paths.add_curve(scene.collection, f"{name} path", (x, y, 0.0), np.radians(20))
    walker = rigs.mixamo(f"{name} walker", location=(x + 1.1, y - 0.4, 0.0), turn=np.radians(35))
    case = Case(name, title, walker=walker, curve=curve)
    if with_keys:
        key_poses(scene, case)
    return case


def key_poses(scene, case):
    """Keys the poses of KEYS on the rig's own action, each facing along the path, and notes them in the case."""
    from tools.demo.measure import snapshot

    line, bones = paths.polyline(case.curve), case.bones_a
    seconds = (case.frames[1] - case.frames[0]) / FPS
    for when, pose, with_location in KEYS:
        frame = case.frames[0] + round(when * FPS)
        scene.frame_set(frame)
        share = when / seconds
        poses.set_pose(case.walker, bones, pose, paths.heading_at(line, share))
        poses.place_hips(case.walker, bones, bpy.context.view_layer, paths.at_shares(line, [share])[0])
        poses.key_pose(case.walker, bones, frame, with_location)
        places, turns = snapshot(case.walker, bones)
        case.keys.append(KeyedPose(frame, places, turns, with_location))


def reaction_case(scene, name, title, leader, corner):
    """A leader from a BVH file and Rigify's metarig, a tenth smaller, that shall react to it.

    `leader`: a tools.demo.leaders.Leader. `corner [2]`: where the leader's own origin comes to stand.
    """
    base = Matrix.Translation((*corner, 0.0)) @ Matrix.Rotation(np.radians(25), 4, "Z")
    walker = import_bvh(leader.path, leader.scale, f"{name} leader")
    walker.matrix_world = base
    partner = rigs.metarig(
        f"{name} partner", location=(corner[0] + 2.0, corner[1] - 1.5, 0.0), turn=np.radians(-50), size=0.9
    )
    truth = None
    if leader.partner is not None:
        truth = import_bvh(leader.partner, leader.scale, f"{name} recorded partner")
        truth.matrix_world = base
        truth.hide_render = True
    bpy.context.view_layer.update()
    last = min(LAST, FIRST + int(leader.seconds * FPS + 1e-6))
    return Case(name, title, walker=walker, partner=partner, truth=truth, frames=(FIRST, last))


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
    bpy.context.view_layer.update()
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
    middle = np.array(0.5 * (left + right))[:2]
    return middle, float(np.arctan2(across[1], across[0]))
