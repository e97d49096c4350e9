"""The walk from a request to takes: course, sampling, finishing, report."""

import time
from dataclasses import replace

from ..constraints.company import with_company
from ..constraints.ways import with_ways
from ..motion import scaled, turned
from ..request import Take, validate
from .blocking import soften
from .conditions import human_scale, in_shared_frame
from .course import flattened, settle
from .finish import finish_all
from .report import report, unknown_words
from .sampling import sample
from .timing import with_times

TOGETHER = 4  # takes that are finished at once: nobody can stop in between, and more would leave the caches


def generate(request, denoiser, progress=None):
    """Takes for a request, each with its own stream of random numbers: the same seed gives the same take.

    `denoiser` comes from a back end (core.denoiser). `progress(share, stage)` may raise to stop. Raises RequestError.
    """
    tell, clock = progress or _silent, {}
    begun = time.perf_counter()
    tell(0.05, "Preparing")
    human, back = human_scale(validate(request))
    shared, heading, place = in_shared_frame(human)
    asked = with_times(shared)
    laid = with_company(with_ways(asked))
    flat = flattened(laid)
    courses = settle(flat, request.takes)
    begun = _lap(clock, "prepare", begun)
    tell(0.1, "Generating")
    softened = soften(flat, courses[0], denoiser)
    features = sample(softened, courses, denoiser, lambda i, n: tell(0.1 + 0.6 * i / n, "Generating"))
    begun = _lap(clock, "generate", begun)
    takes = []
    for first in range(0, request.takes, TOGETHER):
        tell(0.7 + 0.3 * first / request.takes, "Cleaning up")
        own, some = {}, slice(first, first + TOGETHER)
        finished = finish_all(laid, courses[some], features[some])
        begun = _lap(own, "clean_up", begun, len(finished))
        for course, (motions, poses, contacts, feet) in zip(courses[some], finished, strict=True):
            said = report(asked, course, motions, poses, feet)
            said["unknown_words"] = unknown_words(request, denoiser.weights.config.get("vocabulary", ()))
            begun = _lap(own, "report", begun)
            said["seconds"] = {**clock, **own}
            motions = tuple(scaled(turned(m, heading, place), back) for m in motions)
            motions = tuple(_exactly(c, m) for c, m in zip(request.characters, motions, strict=True))
            takes.append(Take(motions, course.times, contacts, said))
    tell(1.0, "Cleaning up")
    return takes


def _silent(share, stage):
    return None


def _lap(clock, name, begun, shared_by=1):
    now = time.perf_counter()
    clock[name] = (now - begun) / shared_by
    return now


def _exactly(character, motion):
    """Somebody animated already is handed back as they came."""
    return character.motion if character.given else replace(motion, body=character.body)
