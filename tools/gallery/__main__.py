"""Draws the gallery from the example requests: python -m tools.gallery [NAME ...]

Writes docs/images/gallery/NAME.jpg for every examples/requests/NAME.json (or those named) and puts its figures into
docs/gallery.md, whose remarks are written by hand by whoever looked at the sheets.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.request import RequestError, from_json
from tools.build_zip import ROOT
from tools.demo.lettering import Letters
from tools.gallery import figures, sheet, shoot

REQUESTS = ROOT / "examples" / "requests"
PICTURES = ROOT / "docs" / "images" / "gallery"
PAGE = ROOT / "docs" / "gallery.md"
SHOWN_TAKES = 3  # of a request for several


def main(arguments):
    """Ends with status 1 when a request could not be answered."""
    folder, out = Path(arguments.requests), Path(arguments.out)
    names = arguments.names or sorted(path.stem for path in folder.glob("*.json"))
    out.mkdir(parents=True, exist_ok=True)
    denoiser, failed = back_ends.load(threads=1), []
    with tempfile.TemporaryDirectory() as scratch:
        letters = Letters(Path(scratch) / "letters.png")
        for name in names:
            began = time.perf_counter()
            try:
                line = draw(folder / f"{name}.json", denoiser, letters, Path(scratch), out / f"{name}.jpg")
            except (RequestError, OSError) as error:
                failed.append(name)
                print(f"gallery: {name}: {error}", file=sys.stderr, flush=True)
                continue
            print(f"gallery: {name} ({time.perf_counter() - began:.1f} s): {line}", flush=True)
            if out == PICTURES:
                figures.write(PAGE, name, line)
    return 1 if failed else 0


def draw(path, denoiser, letters, scratch, out):
    """Generates the takes of a request, draws the sheet, and gives the line of figures."""
    request = from_json(path.read_text("utf-8"), path.parent)
    takes = generate(request, denoiser)
    shown = takes[:SHOWN_TAKES]
    strobe, tiles, labels = None, [], []
    for k, take in enumerate(shown):
        scene = shoot.Set(request, take)
        frames = shoot.moments(request, take.times, shoot.MOMENTS // len(shown))
        strobe = scene.strobe(scratch) if len(shown) == 1 else None
        tiles += scene.tiles(frames, scratch)
        labels += [label(request, take, f, k if len(shown) > 1 else None) for f in frames]
    line = figures.as_line(shown)
    lines = sheet.wrapped([part for take in shown for part in headline(take)])
    sheet.save_jpeg(sheet.compose(letters, path.stem, lines, strobe, tiles, labels), out)
    return line


def headline(take):
    """Parts of the lines under a sheet's title."""
    parts = figures.residuals(take.report) + figures.feet_and_jerk(take)
    return parts + [f"unknown: {word}" for word in take.report.get("unknown_words", ())]


def label(request, take, frame, number=None):
    """What is written on a picture: the frame, the second, what is keyed there or kept."""
    time = take.times[frame]
    text = f"{frame}  {time:.2f} s" if number is None else f"take {number + 1}: {frame}"
    if any(abs(k.time - time) < 0.01 for c in request.characters for k in c.keys):
        text += " key"
    for character in request.characters:
        if character.keep is not None:
            kept = int((character.keep[frame] > 0.5).sum())
            text += f" kept {kept}/22" if 0 < kept < 22 else " kept" if kept else ""
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of requests; all by default")
    parser.add_argument("--requests", default=REQUESTS, help="folder of the requests")
    parser.add_argument("--out", default=PICTURES, help="folder of the sheets")
    sys.exit(main(parser.parse_args()))
