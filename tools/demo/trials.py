"""The controls: the demo's own clips again, in ways that must fail, so that nothing but the model can pass for it."""

import bpy

from tools.demo import bodies, cast, controls, leaders, pictures, stage, tasks
from tools.demo.installed import bundled_weights, choose_weights, map_rig, operate


def run(build, options, say):
    """Opens demo.blend, runs every control, and returns name -> its figures a task, with the pictures' names."""
    bpy.ops.wm.open_mainfile(filepath=str(build / "demo.blend"))
    scene = bpy.context.scene
    path, *reactions = cast.load_cases(build / "work" / "cases.json")
    for case in (path, *reactions):
        operate(scene, case, "RESTORE")
    real = options["weights"] or bundled_weights()
    folders = controls.write_both(real, build)
    out = {}
    for name, folder in folders.items():
        choose_weights(folder)
        out[name] = [trial(build, scene, name, case, say) for case in (path, *reactions)]
    choose_weights(options["weights"])
    out["no_keys"] = [trial(build, scene, "no_keys", without_keys(path), say)]
    pairs = zip(reactions, map(leaders.from_plain, options["leaders"]), strict=True)
    mirrored = [in_mirror(build, scene, case, leader) for case, leader in pairs]
    out["mirrored_leader"] = [trial(build, scene, "mirrored_leader", case, say) for case in mirrored]
    return out


def trial(build, scene, name, case, say):
    """One control on one clip: figures, and moments as pictures for the contact sheet."""
    again = case.again(f"{name} {case.name}", f"{case.title}, {name.replace('_', ' ')}")
    result = tasks.perform(scene, again, say=say)
    stage.follow(case, result["tracks"])
    paths = pictures.stills(scene, again, build / "work" / again.name)
    operate(scene, again, "REJECT")
    return {
        "case": case.name, "title": again.title, "figures": result["figures"], "seconds": result["seconds"],
        "pictures": [str(path) for path in paths],
    }  # fmt: skip


def without_keys(case):
    """The path clip with nothing keyed; what was keyed is still what it is measured against."""
    walker = bpy.data.objects[case.walker]
    walker.animation_data.action = None
    for bone in walker.pose.bones:
        bone.location, bone.rotation_quaternion = (0, 0, 0), (1, 0, 0, 0)
    return case


def in_mirror(build, scene, case, leader):
    """The reaction's clip with its leader seen in a mirror, which starts where and as the leader does."""
    mirrored = leaders.in_mirror(leader, build / "data")
    still = bpy.data.objects[case.walker]
    walker = cast.import_bvh(mirrored.path, mirrored.scale, f"{case.name} mirrored")
    cast.align_first_frame(scene, walker, still, case.frames[0])
    collection = bpy.data.collections[case.place]
    stage.move_to(collection, walker)
    still.hide_render = True
    for child in still.children:
        child.hide_render = True
    bodies.dress(walker, map_rig(walker).bones, "blue", collection)
    return case.led_by(walker.name)
