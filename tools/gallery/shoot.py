"""Pictures of a take: its moments one by one, and the whole way in one picture where somebody goes somewhere."""

import os
import sys
from contextlib import contextmanager

import bpy
import numpy as np

from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.skeleton import JOINTS
from tools.demo import bodies, stage
from tools.demo.lettering import load_picture
from tools.demo.pictures import render
from tools.gallery import actors, asked, view

TILE, WIDE = (320, 240), (1280, 300)
MOMENTS, STROBE = 12, 8
SHIRTS = ("blue", "orange")
GHOST = 0.35  # seconds before and after it that a keyed pose which binds the place is shown
FAR = 2.5  # metres on the ground from which on the whole way has a picture of its own
HEAD = np.array([0.0, 0.0, 0.16])  # metres from a head's joint to its crown


class Set:
    """A Blender scene with the characters of a request, what it asks for, and a camera."""

    def __init__(self, request, take):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.request, self.take, self.scene = request, take, bpy.context.scene
        self.places = np.stack([positions(m) for m in take.motions])
        self.collection = stage.collection_of(self.scene, "Take")
        self.actors = [
            actors.actor(c.name, m.body, SHIRTS[p % 2], self.collection)
            for p, (c, m) in enumerate(zip(request.characters, take.motions, strict=True))
        ]
        self.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.camera.data.lens, self.camera.data.clip_end = view.LENS, 500.0
        self.collection.objects.link(self.camera)
        stage.set_up_render(self.scene)
        self.scene.camera = self.camera
        self.marks = [(mark, self.show(mark)) for mark in asked.still(request)]
        self.ghosts = list(self.key_ghosts())
        self.lay_ground()

    def show(self, mark):
        """An object for a mark."""
        *rgb, alpha = asked.COLOURS[mark.colour]
        mesh = bodies.mesh_of(mark.colour, *mark.solid, {mark.colour: bodies.material(mark.colour, rgb, alpha)})
        if len(mark.solid[0]) == 8:
            mesh.shade_flat()
        made = bpy.data.objects.new(mark.colour, mesh)
        made.display.show_shadows = alpha == 1.0
        self.collection.objects.link(made)
        return made

    def key_ghosts(self):
        """(time, whether it binds the place, object) for every pose that is keyed in all joints."""
        for p, character in enumerate(self.request.characters):
            for key in character.keys:
                if len(key.joints) < len(JOINTS):
                    continue
                frame, motion = int(np.abs(self.take.times - key.time).argmin()), self.take.motions[p]
                root = motion.root[frame] if key.root is None else key.root
                actors.pose(self.actors[p][0], root, key.rotations)
                made = bodies.ghost(self.actors[p][1], "violet", self.collection, f"key {key.time}")
                yield key.time, key.root is not None, made

    def source_ghosts(self, frame):
        """What an existing motion that is changed looks like at a frame, beside what became of it."""
        out = []
        for p, character in enumerate(self.request.characters):
            source = character.motion
            if source is None or character.given or not changed_in_part(character):
                continue
            actors.pose(self.actors[p][0], source.root[frame], source.rotations[frame])
            out.append(bodies.ghost(self.actors[p][1], "violet", self.collection, "source", 0.25))
        return out

    def lay_ground(self):
        """The chequered floor, or the height field."""
        low, high = self.places[..., :2].min((0, 1, 2)) - 3.0, self.places[..., :2].max((0, 1, 2)) + 3.0
        if self.request.ground is None:
            half = int(np.ceil((high - low).max() / 2)) + 6
            stage.add_ground(self.scene, 0.5 * (low + high), half)
            return
        points, faces = asked.terrain(self.request.ground, np.floor(low), np.ceil(high))
        middles = points[np.array(faces)].mean(1)
        square = (np.floor(middles[:, 0]) + np.floor(middles[:, 1])).astype(int) % 2
        materials = {k: bodies.material(f"ground {k}", rgb) for k, rgb in zip("ab", stage.GROUND, strict=True)}
        mesh = bodies.mesh_of("Ground", points, faces, materials, ["ab"[s] for s in square])
        mesh.shade_flat()
        stage.collection_of(self.scene, "Stage").objects.link(bpy.data.objects.new("Ground", mesh))

    def pose(self, frame):
        """Everybody as they are at a frame."""
        for (made, _), motion in zip(self.actors, self.take.motions, strict=True):
            actors.pose(made, motion.root[frame], motion.rotations[frame])

    def points(self, frame):
        """What a picture of a frame must show `[N, 3]`: everybody, and what is asked near them."""
        own = self.places[:, frame]
        out = [own.reshape(-1, 3), own[:, JOINTS.index("head")] + HEAD]
        time = self.take.times[frame]
        for mark, _ in self.marks:
            if mark.seen(time) and mark.colour != "path":
                off = np.linalg.norm(mark.solid[0][:, None] - own[None, :, 0], axis=-1).min(1)
                out.append(mark.solid[0][off < asked.SEEN])
        for when, lasting, made in self.ghosts:
            corners = np.array(made.bound_box)
            off = np.linalg.norm(corners.mean(0) - own[:, 0], axis=-1).min()
            if lasting and off < asked.SEEN and abs(when - time) < GHOST:
                out.append(corners)
        return np.concatenate(out)

    def tiles(self, frames, scratch):
        """Pictures `[H, W, 3]` of moments, all at one scale."""
        sides = view.azimuths(self.take.motions)
        fits = [view.fit(self.points(f), sides[f], TILE, self.places[:, f, 0].mean(0)) for f in frames]
        distance = max(d for _, d in fits)
        return [self.tile(f, target, distance, sides[f], scratch) for f, (target, _) in zip(frames, fits, strict=True)]

    def tile(self, frame, target, distance, side, scratch):
        """The picture of one moment."""
        time = self.take.times[frame]
        for mark, made in self.marks:
            made.hide_render = not mark.seen(time)
        for when, lasting, made in self.ghosts:
            made.hide_render = abs(when - time) > (GHOST if lasting else 0.02)
        moving = [self.show(mark) for mark in asked.moving(self.request, self.take, frame)]
        moving += self.source_ghosts(frame)
        self.pose(frame)
        view.stand(self.camera, target, distance, side)
        picture = self.shot(TILE, scratch)
        for made in moving:
            bpy.data.objects.remove(made)
        return picture

    def strobe(self, scratch):
        """The whole way with everybody at several moments, or None where nobody goes far."""
        root = self.places[:, :, 0, :2]
        if np.ptp(root, axis=1).max() < FAR:
            return None
        for _, made in self.marks:
            made.hide_render = False
        for _, lasting, made in self.ghosts:
            made.hide_render = not lasting
        copies, frames = [], np.linspace(0, len(self.take.times) - 1, STROBE).round().astype(int)
        for frame in frames:
            self.pose(frame)
            for (_, body), shirt in zip(self.actors, SHIRTS, strict=False):
                copies.append(bodies.ghost(body, shirt, self.collection, "strobe", 1.0))
        side = float(np.median(view.azimuths(self.take.motions[:1])))
        points = self.places[:, ::10].reshape(-1, 3)
        seen = view.fit(np.concatenate([points, points + HEAD]), side, WIDE, points.mean(0), 22.0)
        view.stand(self.camera, *seen, side, 22.0)
        for _, body in self.actors:
            body.hide_render = True
        picture = self.shot(WIDE, scratch)
        for _, body in self.actors:
            body.hide_render = False
        for made in copies:
            bpy.data.objects.remove(made)
        return picture

    def shot(self, size, scratch):
        """One rendered picture as an array."""
        with quiet():
            render(self.scene, scratch / "shot.png", size)
        return load_picture(scratch / "shot.png")


@contextmanager
def quiet():
    """Keeps to itself what Blender says of every picture on the standard output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def changed_in_part(character):
    """Whether what an existing motion was tells something: it is varied, or kept in some joints and not in others."""
    if character.vary is not None:
        return True
    keep = np.asarray(character.keep)
    return bool(((keep.max(1) > 0.5) & (keep.min(1) < 0.5)).any())


def moments(request, times, count=MOMENTS):
    """Frames that stand for a take: evenly spread, those among them moved that lie near something asked for."""
    frames = np.linspace(0, len(times) - 1, count).round().astype(int)
    free = np.ones(count, bool)
    for time in asked_times(request):
        frame = int(np.abs(times - time).argmin())
        nearest = np.abs(frames - frame).argmin()
        if free[nearest]:
            frames[nearest], free[nearest] = frame, False
    return np.sort(frames)


def asked_times(request):
    """Moments that a sheet should show: keys, timed waypoints, the middles of short pins and contacts."""
    out = [k.time for c in request.characters for k in c.keys]
    for character in request.characters:
        path = character.path
        if path is not None and path.sparse:
            out += [t for t in path.times if np.isfinite(t)]
    spans = [p for c in request.characters for p in c.pins] + list(request.contacts)
    for span in spans:
        end = request.duration if span.end is None else span.end
        out.append(0.5 * (span.start + end))
    return out
