"""Contact sheets of validation clips drawn by lot: what was generated beside what was recorded.

    python -m evaluation.sheets --data FOLDER --out FOLDER [--seed 0] [--count 12] [--largest 50000]

Writes reaction_NN.jpg (the leader in blue with the generated follower in orange, under it with the recorded one in
violet), path_NN.jpg (the same of one person along the yellow path; above it the whole way, where that is long) and
overview.jpg (one moment of every clip). Discs lie under the toes: green where one stands, red where it slides over the
ground. The camera keeps its side throughout a sheet. Needs Blender as a module, like the gallery.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.skating import GMD_HEIGHT, GMD_SPEED, gmd_foot_skating_ratio
from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.motion import FPS, positions
from blender_motiondiff.core.request.data import STANDARD_STEPS
from blender_motiondiff.core.skeleton import INDEX
from tools.demo import bodies, solids, stage
from tools.demo.lettering import Letters, load_picture
from tools.demo.pictures import render
from tools.gallery import actors, asked, sheet, view
from tools.gallery.shoot import FAR, HEAD, TILE, WIDE, quiet

from . import answers, clips, metrics, tasks

COUNT, LARGEST = 12, 50_000  # sheets of a kind; bytes of one
MOMENTS, STROBE = 8, 8  # pictures of either; figures in the picture of the whole way
AZIMUTH, ELEVATION = 35.0, 18.0  # degrees beside the front of the first person in the middle of the clip; upwards
GOES = 0.3  # metres: a clip whose pelvis stays within it has no path worth drawing
LEADER, MADE, REAL = "blue", "orange", "violet"
DISC = np.array([0.11, 0.11, 0.008])  # half axes, metres
STANDS, SLIDES = "touch", "pin"  # of asked.COLOURS
TOES = (INDEX["left_foot"], INDEX["right_foot"])


@dataclass(frozen=True)
class Shown:
    """What a sheet tells of one window: `casts`, who is seen in each of its two rows as (Motion, colour) pairs."""

    title: str
    lines: tuple[str, ...]
    casts: tuple
    path: np.ndarray | None = None  # [T, 2]


# --- what is drawn ----------------------------------------------------------------------------------------------------


def drawn_by_lot(windows, task, count, seed):
    """`count` windows of a task at random, in the order of their clips; of a path, those that go somewhere."""
    if task == "reaction":
        fit = [w for w in windows if w.leader is not None]
    else:
        fit = [w for w in windows if w.leader is None and np.ptp(w.motion.root[:, :2], axis=0).max() > GOES]
    lot = np.random.default_rng(seed).permutation(len(fit))[:count]
    return [fit[i] for i in np.sort(lot)]


def answered(task, window, denoiser, seed=0):
    """Generates a window's task and tells it as Shown."""
    take = answers.final(tasks.request(task, window, seed, steps=STANDARD_STEPS), denoiser)[0]
    made, real = take.motions[-1], window.motion
    title = f"{task}  {window.name}  {window.trial if task == 'reaction' else window.description}"
    legend = f"above: generated ({MADE}), {STANDARD_STEPS} steps, first take   below: recorded ({REAL})"
    parts = figures(task, window, made)
    if task == "reaction":
        others = ((window.leader, LEADER),)
        return Shown(title, (legend, parts), ((*others, (made, MADE)), (*others, (real, REAL))))
    return Shown(title, (legend, parts), (((made, MADE),), ((real, REAL),)), tasks.smoothed(real))


def figures(task, window, made):
    """The line of figures under a sheet's title."""
    places, real = positions(made), positions(window.motion)
    toe = window.motion.body.foot_heights[1]
    parts = [f"joint error {metrics.joint_error(places, real):.2f} m"]
    if task == "reaction":
        parts.append(f"root error {np.linalg.norm((made.root - window.motion.root)[:, :2], axis=1).mean():.2f} m")
    else:
        off = metrics.path_error(tasks.smoothed(made), made.root[:, :2], tasks.smoothed(window.motion))
        parts.append(f"path error {100 * off['mean']:.2f} cm")
    skating, recorded = (100 * gmd_foot_skating_ratio(p, FPS, toe) for p in (places, real))
    parts.append(f"skating {skating:.0f} % (recorded {recorded:.0f} %)")
    parts.append(f"jerk {metrics.jerk(places, FPS) / max(metrics.jerk(real, FPS), 1e-9):.2f} of the recorded")
    return "   ".join(parts)


def toe_states(motion):
    """Which toes are on the ground `[T, 2]`, and which of those slide (the thresholds of the skating ratio)."""
    toes = positions(motion)[:, list(TOES)]
    low = toes[..., 2] < GMD_HEIGHT + motion.body.foot_heights[1]
    if motion.frames < 2:
        return low, np.zeros_like(low)
    speed = np.linalg.norm(np.gradient(toes[..., :2], axis=0), axis=-1) * motion.fps
    return low, low & (speed > GMD_SPEED)


# --- the pictures -----------------------------------------------------------------------------------------------------


class Set:
    """A Blender scene of one sheet: everybody of both rows, the path, the floor, a camera on a fixed side."""

    def __init__(self, shown):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.shown, self.scene = shown, bpy.context.scene
        self.collection = stage.collection_of(self.scene, "Sheet")
        self.cast = [[self._actor(m, colour) for m, colour in row] for row in shown.casts]
        self.places = np.stack([positions(m) for row in shown.casts for m, _ in row])
        first = shown.casts[-1][0][0]  # as recorded
        heading = rot.heading(first.rotations[first.frames // 2, 0])
        self.side = float(np.degrees(heading)) + AZIMUTH
        self.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.camera.data.lens, self.camera.data.clip_end = view.LENS, 500.0
        self.collection.objects.link(self.camera)
        stage.set_up_render(self.scene)
        self.scene.camera = self.camera
        low, high = self.places[..., :2].min((0, 1, 2)), self.places[..., :2].max((0, 1, 2))
        stage.add_ground(self.scene, 0.5 * (low + high), int(np.ceil((high - low).max() / 2)) + 4)
        if shown.path is not None:
            line = asked.finely(asked.on_ground(shown.path, None, asked.TUBE))
            self._solid(solids.tube(line, asked.TUBE), "path")

    def _actor(self, motion, colour):
        made, body = actors.actor(colour, motion.body, colour, self.collection)
        return motion, colour, made, body, (positions(motion)[:, list(TOES)], *toe_states(motion))

    def _solid(self, solid, colour):
        *rgb, alpha = asked.COLOURS[colour]
        mesh = bodies.mesh_of(colour, *solid, {colour: bodies.material(colour, rgb, alpha)})
        made = bpy.data.objects.new(colour, mesh)
        made.display.show_shadows = False
        self.collection.objects.link(made)
        return made

    def _pose(self, row, frame):
        """Poses the cast of a row; discs under the toes that are down."""
        discs = []
        for motion, _, made, _, (toes, down, slides) in self.cast[row]:
            actors.pose(made, motion.root[frame], motion.rotations[frame])
            for k in np.flatnonzero(down[frame]):
                disc = solids.ellipsoid(np.append(toes[frame, k, :2], DISC[2]), np.eye(3), DISC)
                discs.append(self._solid(disc, SLIDES if slides[frame, k] else STANDS))
        return discs

    def _show(self, row):
        """Hides everybody but the cast of a row; None hides all."""
        for k, cast in enumerate(self.cast):
            for _, _, _, body, _ in cast:
                body.hide_render = k != row

    def tiles(self, frames, scratch):
        """Pictures by row and frame, all at one scale from one side."""
        near = [self.places[:, f].reshape(-1, 3) for f in frames]
        near = [np.concatenate([p, p[INDEX["head"] :: 22] + HEAD]) for p in near]
        middles = [self.places[:, f, 0].mean(0) for f in frames]
        fits = [view.fit(p, self.side, TILE, m, ELEVATION) for p, m in zip(near, middles, strict=True)]
        distance = max(d for _, d in fits)
        out = []
        for row in range(len(self.cast)):
            self._show(row)
            out.append([self._tile(row, f, fit, distance, scratch) for f, (fit, _) in zip(frames, fits, strict=True)])
        return out

    def _tile(self, row, frame, target, distance, scratch):
        discs = self._pose(row, frame)
        view.stand(self.camera, target, distance, self.side, ELEVATION)
        picture = shot(self.scene, TILE, scratch)
        for disc in discs:
            bpy.data.objects.remove(disc)
        return picture

    def strobe(self, row, scratch):
        """The whole way of a row in one picture, seen square to it."""
        self._show(None)
        motion, colour, made, body, _ = self.cast[row][0]
        copies = []
        for frame in np.linspace(0, motion.frames - 1, STROBE).round().astype(int):
            actors.pose(made, motion.root[frame], motion.rotations[frame])
            body.hide_render = False
            copies.append(bodies.ghost(body, colour, self.collection, "strobe", 1.0))
            body.hide_render = True
        side = float(np.median(view.azimuths([self.cast[-1][0][0]])))
        points = self.places[:, ::10].reshape(-1, 3)
        view.stand(self.camera, *view.fit(np.concatenate([points, points + HEAD]), side, WIDE, points.mean(0)), side)
        picture = shot(self.scene, WIDE, scratch)
        for made in copies:
            bpy.data.objects.remove(made)
        return picture


def shot(scene, size, scratch):
    """One rendered picture as an array."""
    with quiet():
        render(scene, scratch / "shot.png", size)
    return load_picture(scratch / "shot.png")


def compose(letters, shown, scratch):
    """The sheet of a window `[H, 1280, 3]`, and the picture of its middle moment for the overview."""
    made = Set(shown)
    frames = np.linspace(0, shown.casts[0][0][0].frames - 1, MOMENTS).round().astype(int)
    rows = made.tiles(frames, scratch)
    pictures, labels = [], []
    for start in range(0, MOMENTS, sheet.COLUMNS):
        for row, said in zip(rows, ("", " recorded"), strict=True):
            pictures += row[start : start + sheet.COLUMNS]
            labels += [f"{f / FPS:.2f} s{said}" for f in frames[start : start + sheet.COLUMNS]]
    small = rows[0][MOMENTS // 2].copy()
    wide = None
    if shown.path is not None and np.ptp(shown.path, axis=0).max() > FAR:
        wide = np.concatenate([made.strobe(row, scratch) for row in range(2)])
    lines = [line for text in shown.lines for line in sheet.wrapped([text])]
    return sheet.compose(letters, shown.title[:126], lines, wide, pictures, labels), small


def main(folder, out, seed=0, count=COUNT, largest=LARGEST):
    """Draws `count` sheets of either kind, and the overview, into the folder `out`."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    windows, _ = clips.windows(folder)
    denoiser, smalls, titles = back_ends.load(threads=1), [], []
    with tempfile.TemporaryDirectory() as scratch:
        letters = Letters(Path(scratch) / "letters.png")
        for task in ("reaction", "path"):
            for k, window in enumerate(drawn_by_lot(windows, task, count, seed), 1):
                shown = answered(task, window, denoiser, seed)
                picture, small = compose(letters, shown, Path(scratch))
                sheet.save_jpeg(picture, out / f"{task}_{k:02d}.jpg", largest)
                smalls.append(small)
                titles.append(f"{task} {k}: {window.name}")
                print(f"{task}_{k:02d}.jpg: {window.name}: {shown.lines[-1]}", flush=True)
        said = f"Validation clips drawn by lot, seed {seed}: the middle of each, generated"
        sheet.save_jpeg(sheet.compose(letters, said, [], None, smalls, titles), out / "overview.jpg", 2 * largest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m evaluation.sheets", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the motion data, or of BVH files")
    parser.add_argument("--out", type=Path, required=True, help="folder of the sheets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=COUNT, help="sheets of either kind")
    parser.add_argument("--largest", type=int, default=LARGEST, help="bytes of a sheet")
    options = parser.parse_args()
    sys.exit(main(options.data, options.out, options.seed, options.count, options.largest))
