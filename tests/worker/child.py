"""A worker whose generator is made up for the tests, started in place of boot.py.

Its first argument says how it behaves.

As boot.py does, it must not see Blender's modules.
"""

import contextlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import numpy as np

from blender_motiondiff.core.denoiser.weights import WeightsError
from blender_motiondiff.core.motion import Motion
from blender_motiondiff.core.request import RequestError, Take
from blender_motiondiff.worker import server


def take_for(request, number, bent_cm):
    """A take that says in its numbers which request and which take it answers."""
    motions = []
    for character in request.characters:
        rotations = np.zeros((request.frames, 22, 4))
        rotations[..., 0] = 1.0
        root = np.full((request.frames, 3), float(request.seed) + number / 100)
        motions.append(character.motion or Motion(root, rotations, character.body))
    times = np.arange(request.frames) / 30.0
    contacts = np.zeros((len(motions), request.frames, 4))
    people = [{"name": c.name, "path_bent_cm": bent_cm} for c in request.characters]
    report = {"number": number, "characters": people, "seconds": {"made up": 1.0}}
    return Take(tuple(motions), times, contacts, report)


def loader(manner):
    """The loader for a manner: a dict with what to do."""

    def load():
        time.sleep(manner.get("load_seconds", 0))
        if manner.get("prints"):
            with contextlib.suppress(OSError):  # compiled code does not look whether its words arrive
                os.write(1, b"a library that prints to standard output\n")
            print("and another", flush=True)
        if "load_error" in manner:
            raise {"weights": WeightsError, "other": RuntimeError}[manner["load_error"]]("the file is too short")
        return generate

    def generate(request, progress):
        steps = manner.get("steps", 3)
        for i in range(steps):
            progress(i / steps, "Denoising" if i < steps / 2 else "Feet")
            time.sleep(manner.get("step_seconds", 0))
            if manner.get("dies_at") == i:
                os._exit(7)
            if manner.get("refuses"):
                raise RequestError("The clip asks for the impossible. Ask for less.")
            if manner.get("stumbles"):
                raise ZeroDivisionError("division by zero")
        return [take_for(request, k, manner.get("bent_cm", [])) for k in range(request.takes)]

    return load


if __name__ == "__main__":
    with_blender = [name for name in ("bpy", "mathutils") if name in sys.modules]
    assert not with_blender, with_blender
    server.serve(loader(json.loads(sys.argv[1])), *server.claim_pipes())
