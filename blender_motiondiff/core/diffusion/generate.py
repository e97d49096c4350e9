"""The walk from a request to takes: course, sampling, finishing, report."""

import time
from dataclasses import dataclass, replace

import numpy as np

from ..constraints.company import with_company
from ..constraints.ways import with_ways
from ..motion import scaled, turned
from ..request import Request, Take, validate
from .blocking import soften
from .conditions import human_scale, in_shared_frame
from .course import flattened, settle
from .crew import call_in, shared_out
from .finish import finish_all
from .report import report, unknown_words
from .sampling import sample
from .timing import with_times

TOGETHER = 4  # takes that are finished at once: nobody can stop in between, and more would leave the caches


@dataclass(frozen=True)
class _Told:
    """What finishing takes needs beside their courses and features: the request as it came, as `asked` in the shared
    frame, and as `laid` out; the way back out of that frame; the words that the weights know; seconds so far.
    """

    request: Request
    asked: Request
    laid: Request
    heading: float
    place: np.ndarray
    back: float
    vocabulary: tuple
    clock: dict


def generate(request, denoiser, progress=None, crew=None):
    """Takes for a request, each with its own stream of random numbers: the same seed gives the same take.

    `denoiser` comes from a back end (core.denoiser). `progress(share, stage)` may raise to stop. `crew() -> Crew or
    None` is called when there are more takes than are finished at once. Raises RequestError.
    """
    tell, clock = progress or _silent, {}
    begun = time.perf_counter()
    tell(0.05, "Preparing")
    validate(request)
    parts = [slice(first, first + TOGETHER) for first in range(0, request.takes, TOGETHER)]
    crew = crew() if crew is not None and len(parts) > 1 else None
    if crew is not None:
        call_in(crew)
    human, back = human_scale(request)
    shared, heading, place = in_shared_frame(human)
    asked = with_times(shared)
    laid = with_company(with_ways(asked))
    flat = flattened(laid)
    courses = settle(flat, request.takes)
    begun = _lap(clock, "prepare", begun)
    tell(0.1, "Generating")
    softened = soften(flat, courses[0], denoiser)
    features = sample(softened, courses, denoiser, lambda i, n: tell(0.1 + 0.6 * i / n, "Generating"))
    _lap(clock, "generate", begun)
    vocabulary = denoiser.weights.config.get("vocabulary", ())
    told = _Told(request, asked, laid, heading, place, back, vocabulary, clock)
    work = [(told, courses[some], features[some]) for some in parts]

    def tell_done(done):
        tell(0.7 + 0.3 * done / len(work), "Cleaning up")

    tell_done(0)
    takes = [take for part in shared_out(crew, _finished, work, tell_done) for take in part]
    tell(1.0, "Cleaning up")
    return takes


def _finished(told, courses, features):
    """The takes of some courses and their features."""
    own, begun, takes = {}, time.perf_counter(), []
    finished = finish_all(told.laid, courses, features)
    begun = _lap(own, "clean_up", begun, len(finished))
    for course, (motions, poses, contacts, feet) in zip(courses, finished, strict=True):
        said = report(told.asked, course, motions, poses, feet)
        said["unknown_words"] = unknown_words(told.request, told.vocabulary)
        begun = _lap(own, "report", begun)
        said["seconds"] = {**told.clock, **own}
        motions = tuple(scaled(turned(m, told.heading, told.place), told.back) for m in motions)
        motions = tuple(_exactly(c, m) for c, m in zip(told.request.characters, motions, strict=True))
        takes.append(Take(motions, course.times, contacts, said))
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
