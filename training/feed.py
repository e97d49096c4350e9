"""Batches made in a process of their own; each is a function of its number, so a run goes on where it stopped."""

import collections
import multiprocessing
from queue import Empty, Full

import numpy as np
import torch

from .batches import prepare
from .dataset import for_training, load_clips, read_index
from .pool import training_sampler

TOKENS = 1200  # frames / 4 of all persons in a step
COUPLES = 0.4  # of those in windows of two
LENGTHS = {48: 0.2, 80: 0.3, 120: 0.35, 180: 0.15}  # frames of the windows, and their chance
REUSE_AFTER = 12  # steps: every batch is learnt from twice, with other noise, since making one costs half a step
AHEAD = 3  # batches that wait to be learnt from
LOOK_SECONDS = 5.0  # after which it is looked whether batches are still being made, or still wanted


def make_batch(sampler, tables, key):
    """Batches of singles and, where the clips have any, of couples: those of the number that `key` (ints) ends with."""
    rng = np.random.default_rng(key)
    sampler.rng = rng
    lengths = [n for n in LENGTHS if sampler.holds(n)] or [min(LENGTHS)]
    chance = np.array([LENGTHS[n] for n in lengths])
    frames = int(rng.choice(lengths, p=chance / chance.sum()))
    tokens = frames // 4
    singles = int(TOKENS * (1 - COUPLES) / tokens), False
    couples = int(TOKENS * COUPLES / tokens / 2), True
    wanted = [singles, couples] if sampler.pairs(frames) else [singles]
    return [prepare(sampler.draw(count, frames, paired), tables, rng) for count, paired in wanted]


def _produce(queue, data, tables, seed, rank, first):
    torch.set_num_threads(1)
    sampler = training_sampler(for_training(load_clips(data), read_index(data)), seed)
    batch = None
    while multiprocessing.parent_process().is_alive():  # a run that was killed can't end this process itself
        batch = batch or make_batch(sampler, tables, [seed, rank, first])
        try:
            queue.put(batch, timeout=LOOK_SECONDS)
        except Full:
            continue
        batch, first = None, first + 1


def played(step):
    """(batches learnt from for the first time, for the second time) before step number `step`."""
    again = max(0, step - REUSE_AFTER) // 2
    return step - again, again


def _next(queue, maker):
    """What comes next from the queue. Raises RuntimeError when the process that fills it has ended."""
    while True:
        try:
            return queue.get(timeout=LOOK_SECONDS)
        except Empty:
            if not maker.is_alive():
                raise RuntimeError("The process that makes batches has ended; its own message says why.") from None


def batches(data, tables, seed, rank, step):
    """Batches for ever from step number `step` on, each of them again REUSE_AFTER fresh ones later.

    Close the generator to end the process.
    """
    fresh, again = played(step)
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue(maxsize=AHEAD)
    maker = spawn.Process(target=_produce, args=(queue, data, tables, seed, rank, again), daemon=True)
    maker.start()
    try:
        waiting = collections.deque(_next(queue, maker) for _ in range(fresh - again))
        while True:
            if len(waiting) > REUSE_AFTER:
                yield waiting.popleft()
            else:
                waiting.append(_next(queue, maker))
                yield waiting[-1]
    finally:
        maker.kill()
