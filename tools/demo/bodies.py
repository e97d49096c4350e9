"""Bodies to look at: one skinned mesh an armature, built from the places of its mapped bones at rest.

Everything is in the armature's own space and units, and sized by its legs, so that any rig gets a body that fits it.
"""

import bpy
import numpy as np

from tools.demo import solids

LEG = 0.85  # metres: the leg that the sizes below are given for
SHIRTS = {
    "blue": (0.10, 0.33, 0.80),
    "orange": (0.93, 0.42, 0.08),
    "violet": (0.55, 0.20, 0.75),
}
SKIN, SHOES, HAIR = (0.80, 0.58, 0.45), (0.10, 0.10, 0.11), (0.16, 0.11, 0.08)
TROUSERS = {"blue": (0.08, 0.13, 0.27), "orange": (0.36, 0.12, 0.05), "violet": (0.3, 0.1, 0.4)}


def rest_points(armature, bones):
    """Places of joints at rest in armature space: joint name -> `[3]`. Toes that have no bone are the feet's tails."""
    data = armature.data.bones
    points = {joint: np.array(data[bone].head_local) for joint, bone in bones.items()}
    for side in ("left", "right"):
        if f"{side}_foot" not in points:
            points[f"{side}_foot"] = np.array(data[bones[f"{side}_ankle"]].tail_local)
    return points


class Shape:
    """Collects solids with the bone and the colour that each belongs to."""

    def __init__(self):
        self.points, self.faces, self.colours, self.weights = [], [], [], []

    def add(self, solid, colour, bone):
        """`bone`: one name, or `[N]` names, one a point."""
        points, faces = solid
        start = len(self.weights)
        self.points.append(points)
        self.faces += [tuple(start + i for i in face) for face in faces]
        self.colours += [colour] * len(faces)
        self.weights += [bone] * len(points) if isinstance(bone, str) else list(bone)


def body_axes(p):
    """Unit vectors of a body at rest: to its left, upwards, forwards."""
    side = p["left_hip"] - p["right_hip"]
    side /= np.linalg.norm(side)
    up = p["neck"] - 0.5 * (p["left_hip"] + p["right_hip"])
    up -= side * (up @ side)
    up /= np.linalg.norm(up)
    return np.array([side, up, np.cross(side, up)])


def leg_length(p):
    """Hip to ankle, mean of both, in the armature's units."""
    legs = [(f"{s}_hip", f"{s}_knee", f"{s}_ankle") for s in ("left", "right")]
    return 0.5 * sum(np.linalg.norm(p[b] - p[a]) + np.linalg.norm(p[c] - p[b]) for a, b, c in legs)


def shape_of(armature, bones):
    """The solids of a whole body."""
    p = rest_points(armature, bones)
    p.setdefault("neck", 0.5 * (p["left_shoulder"] + p["right_shoulder"]))
    size, axes, shape = leg_length(p) / LEG, body_axes(p), Shape()
    add_torso(shape, p, bones, axes, size)
    add_head(shape, p, bones, axes, size)
    for side in ("left", "right"):
        add_leg(shape, p, bones, axes, size, side)
        add_arm(shape, p, bones, axes, size, side)
    return shape


def add_torso(shape, p, bones, axes, size):
    """Trousers' top and shirt: rings from the hips to the neck, each on the bone that carries it."""
    side, _, front = axes
    hips, neck = 0.5 * (p["left_hip"] + p["right_hip"]), p["neck"]
    rows = [  # share of the way up, half width, half depth, joint
        (-0.15, 0.060, 0.050, "pelvis"), (-0.10, 0.125, 0.095, "pelvis"), (0.0, 0.160, 0.115, "pelvis"),
        (0.12, 0.158, 0.110, "pelvis"), (0.24, 0.142, 0.098, "spine1"), (0.40, 0.137, 0.096, "spine1"),
        (0.55, 0.148, 0.108, "spine2"), (0.72, 0.168, 0.120, "spine3"), (0.86, 0.165, 0.112, "spine3"),
        (0.95, 0.120, 0.085, "spine3"), (1.03, 0.062, 0.060, "spine3"),
    ]  # fmt: skip
    for colour, part in (("trousers", rows[:5]), ("shirt", rows[4:])):
        centres = np.array([hips + share * (neck - hips) for share, *_ in part]) - front * 0.012 * size
        widths, depths = (np.array([row[k] for row in part]) * size for k in (1, 2))
        names = [carrier(bones, row[3]) for row in part]
        skin = [name for name in names for _ in range(solids.SIDES)] + [names[0], names[-1]]
        shape.add(solids.loft(centres, front, side, depths, widths), colour, skin)


def carrier(bones, joint):
    """The bone of a joint of the spine, or of the next mapped one below it."""
    below = {"spine3": "spine2", "spine2": "spine1", "spine1": "pelvis"}
    while joint not in bones:
        joint = below[joint]
    return bones[joint]


def add_head(shape, p, bones, axes, size):
    """Neck, skull, hair and a nose that shows where the character looks."""
    side, up, front = axes
    head, bone = p["head"], bones["head"]
    middle = head + up * 0.085 * size + front * 0.015 * size
    shape.add(solids.capsule(p["neck"] - up * 0.02 * size, head + up * 0.03 * size, 0.052 * size, 0.050 * size),
              "skin", bones.get("neck", bone))  # fmt: skip
    shape.add(solids.ellipsoid(middle, [side, front, up], np.array([0.076, 0.092, 0.118]) * size), "skin", bone)
    crown = middle + up * 0.028 * size - front * 0.022 * size
    shape.add(solids.ellipsoid(crown, [side, front, up], np.array([0.084, 0.090, 0.106]) * size), "hair", bone)
    nose = middle + front * 0.092 * size - up * 0.015 * size
    shape.add(solids.ellipsoid(nose, [side, front, up], np.array([0.014, 0.020, 0.022]) * size), "skin", bone)


def add_leg(shape, p, bones, axes, size, side):
    """Thigh, shin, foot and toes."""
    up = axes[1]
    hip, knee, ankle, toe = (p[f"{side}_{n}"] for n in ("hip", "knee", "ankle", "foot"))
    shape.add(solids.capsule(hip, knee, 0.088 * size, 0.056 * size), "trousers", bones[f"{side}_hip"])
    shape.add(solids.capsule(knee, ankle, 0.057 * size, 0.040 * size), "trousers", bones[f"{side}_knee"])
    flat = (toe - ankle) - up * ((toe - ankle) @ up)
    along = flat / max(np.linalg.norm(flat), 1e-9)
    sideways, long = np.cross(along, up), max(np.linalg.norm(flat), 0.10 * size)
    sole = toe @ up - 0.018 * size
    axes_foot = [sideways, along, up]
    heel_to_toe = 0.5 * (long + 0.055 * size)
    middle = ankle + along * (long - heel_to_toe)
    middle = middle + up * (sole + 0.036 * size - middle @ up)
    shape.add(solids.box(middle, axes_foot, np.array([0.042 * size, heel_to_toe + 0.01 * size, 0.036 * size])),
              "shoes", bones[f"{side}_ankle"])  # fmt: skip
    tip = toe + along * 0.035 * size
    tip = tip + up * (sole + 0.024 * size - tip @ up)
    toe_bone = bones.get(f"{side}_foot", bones[f"{side}_ankle"])
    shape.add(solids.box(tip, axes_foot, np.array([0.043, 0.050, 0.024]) * size), "shoes", toe_bone)


def add_arm(shape, p, bones, axes, size, side):
    """Shoulder, sleeve, forearm, hand and thumb."""
    _, up, front = axes
    shoulder, elbow, wrist = (p[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist"))
    root = p["neck"] - up * 0.06 * size
    start = root + 0.35 * (shoulder - root)
    shape.add(solids.capsule(start, shoulder, 0.068 * size, 0.058 * size), "shirt",
              bones.get(f"{side}_collar", bones[f"{side}_shoulder"]))  # fmt: skip
    shape.add(solids.capsule(shoulder, elbow, 0.056 * size, 0.042 * size), "shirt", bones[f"{side}_shoulder"])
    shape.add(solids.capsule(elbow, wrist, 0.041 * size, 0.029 * size), "skin", bones[f"{side}_elbow"])
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    palm = wrist + along * 0.085 * size
    thick = np.cross(along, front)
    thick /= np.linalg.norm(thick)
    wide = np.cross(thick, along)
    hand = bones[f"{side}_wrist"]
    shape.add(solids.ellipsoid(palm, [wide, thick, along], np.array([0.043, 0.019, 0.092]) * size), "skin", hand)
    thumb = wrist + along * 0.035 * size + wide * 0.03 * size
    shape.add(solids.capsule(thumb, thumb + (along + 0.7 * wide) * 0.045 * size, 0.013 * size, 0.011 * size),
              "skin", hand)  # fmt: skip


def material(name, rgb, alpha=1.0):
    """A material by its name, made when it is not there; Workbench shows its viewport colour."""
    found = bpy.data.materials.get(name) or bpy.data.materials.new(name)
    found.diffuse_color = (*rgb, alpha)
    found.roughness, found.specular_intensity = 0.8, 0.15
    return found


def palette(colour, alpha=1.0):
    """Parts of a body -> material, for a colour of SHIRTS."""
    parts = {"shirt": SHIRTS[colour], "trousers": TROUSERS[colour], "skin": SKIN, "shoes": SHOES, "hair": HAIR}
    suffix = "" if alpha == 1.0 else " ghost"
    if alpha < 1.0:
        parts = dict.fromkeys(parts, SHIRTS[colour])
    return {part: material(f"{colour} {part}{suffix}", rgb, alpha) for part, rgb in parts.items()}


def mesh_of(name, points, faces, materials=None, colours=None):
    """A smooth mesh data-block; `colours`: a key of `materials` for each face (the first, if there are none)."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.asarray(points).tolist(), [], faces)
    mesh.shade_smooth()
    if materials:
        keys = list(materials)
        for key in keys:
            mesh.materials.append(materials[key])
        chosen = [keys.index(c) for c in colours] if colours else [0] * len(faces)
        mesh.polygons.foreach_set("material_index", np.array(chosen, np.int32))
    mesh.update()
    return mesh


def dress(armature, bones, colour, collection):
    """Gives an armature its body: a mesh object that its bones move."""
    shape = shape_of(armature, bones)
    mesh = mesh_of(f"{armature.name} body", np.concatenate(shape.points), shape.faces, palette(colour), shape.colours)
    body = bpy.data.objects.new(mesh.name, mesh)
    collection.objects.link(body)
    body.parent = armature
    names = np.array(shape.weights)
    for bone in dict.fromkeys(shape.weights):
        body.vertex_groups.new(name=bone).add(np.flatnonzero(names == bone).tolist(), 1.0, "REPLACE")
    body.modifiers.new("Armature", "ARMATURE").object = armature
    return body


def ghost(body, colour, collection, name, alpha=0.35):
    """The body as it stands at the scene's frame, frozen, and translucent for an `alpha` below 1."""
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = bpy.data.meshes.new_from_object(evaluated)
    mesh.transform(body.matrix_world)
    mesh.name = name
    for index, entry in enumerate(palette(colour, alpha).values()):
        mesh.materials[index] = entry
    frozen = bpy.data.objects.new(name, mesh)
    frozen.display.show_shadows = alpha == 1.0
    collection.objects.link(frozen)
    return frozen
