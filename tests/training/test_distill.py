"""Every way of distilling lowers its loss, goes on after a break as if there were none, and is measured rightly."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")

from blender_motiondiff.core.denoiser.network import Denoiser  # noqa: E402
from training import distill, distill_methods  # noqa: E402
from training.batches import Sampler, prepare  # noqa: E402
from training.distill_critic import CHANNELS, Critic, critic_loss, seen  # noqa: E402
from training.distill_methods import METHODS, TAKES, made_takes, nearest_rows  # noqa: E402
from training.distill_table import choice, figures, measure, world_joints  # noqa: E402
from training.validate import to_torch  # noqa: E402

from .test_training import FLAT, made_clips  # noqa: E402


@pytest.fixture(scope="module")
def pair():
    sampler, rng = Sampler(made_clips(), seed=0), np.random.default_rng(0)
    return [prepare(sampler.draw(4, 48, couples), FLAT, rng) for couples in (False, True)]


def begun(method, seed=0):
    """A run whose teacher is a small network that knows nothing, the same for every seed of the noise."""
    torch.manual_seed(0)
    net = Denoiser(width=48, layers=1)
    saved = {"net": net.state_dict(), "config": net.config, "numbers": {}, "step": 7, "vocabulary": ["walk"]}
    run = distill.Run(saved, method, seed)
    distill.set_rates(run, 0.0)
    return run


@pytest.fixture(autouse=True)
def few_windows(monkeypatch):
    monkeypatch.setattr(distill_methods, "TOKENS", 100)


def at_full_rate(run):
    run.opt.param_groups[0]["lr"] = 2e-3
    return run


def test_a_few_steps_lower_the_error_of_a_one_step_student(pair):
    run = at_full_rate(begun("sharpen"))
    shown = [distill.learn(run, pair) for _ in range(15)]
    first, last = (np.mean([p["single_error"] + p["couple_error"] for p in part]) for part in (shown[:3], shown[-3:]))
    assert last < 0.9 * first
    assert all(np.isfinite(list(p.values())).all() for p in shown)


def test_one_step_moves_the_student_and_its_second_network(pair):
    """Its loss is a pull by the difference of two estimates, and need not fall while the second is still learning."""
    run = at_full_rate(begun("one_step"))
    before = [p.clone() for p in run.student.parameters()]
    shown = [distill.learn(run, pair) for _ in range(3)]
    assert all(np.isfinite(list(p.values())).all() for p in shown)
    moved = sum(not torch.equal(a, b) for a, b in zip(before, run.student.parameters(), strict=True))
    assert moved > len(before) / 2


def test_a_few_steps_make_a_strayed_student_consistent_with_its_teacher(pair):
    run = at_full_rate(begun("consistency"))
    with torch.no_grad():
        for p in run.student.leave.parameters():
            p.add_(0.05 * torch.randn(p.shape, generator=torch.Generator().manual_seed(1)))
    shown = [distill.learn(run, pair) for _ in range(15)]
    first, last = (np.mean([p["single_consistency"] for p in part]) for part in (shown[:3], shown[-3:]))
    assert last < 0.7 * first


@pytest.mark.parametrize("method", METHODS)
def test_a_resumed_run_ends_where_an_unbroken_one_does(method, pair, tmp_path):
    whole, broken = begun(method), begun(method)
    for _ in range(3):
        distill.learn(whole, pair)
    for _ in range(2):
        distill.learn(broken, pair)
    numbers = dict.fromkeys(("path_cm", "path_jerk_ratio", "path_planned_slip_cm_s", "keys_planned_slip_cm_s"), 1.0)
    broken.save(tmp_path, numbers)
    again = begun(method, seed=5)
    again.resume(tmp_path)
    distill.learn(again, pair)
    assert again.step == whole.step == 3
    for a, b in zip(whole.average.parameters(), again.average.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_best_checkpoint_has_the_form_of_trainings_own(pair, tmp_path):
    run = begun("sharpen")
    distill.learn(run, pair)
    run.save(tmp_path, {"path_planned_slip_cm_s": 5.0, "keys_planned_slip_cm_s": 5.0})
    saved = torch.load(tmp_path / "best.pt", weights_only=True)
    assert {"net", "config", "numbers", "step", "vocabulary"} <= set(saved) and saved["vocabulary"] == ["walk"]
    net = Denoiser(**saved["config"])
    net.load_state_dict(saved["net"])
    worse = run.best
    run.save(tmp_path, {"path_planned_slip_cm_s": 9.0, "keys_planned_slip_cm_s": 9.0})
    assert run.best == worse


class Knowing(Denoiser):
    """Answers with the recording, the same every time."""

    def __init__(self, target):
        super().__init__(width=48, layers=1)
        self.target = target

    def forward(self, *inputs):
        return self.target


def test_whoever_answers_with_the_recording_has_no_error_and_the_recordings_jerk(pair):
    batch = to_torch(pair[1])
    found = measure(Knowing(batch.target), batch, steps=2, fresh=True, takes=3)
    assert found["cm"] < 1e-3 and found["best8_cm"] < 1e-3 and found["spread_cm"] < 1e-3
    assert abs(found["jerk_ratio"] - 1) < 1e-3
    off = measure(Knowing(batch.target + 0.3 * torch.randn(batch.target.shape)), batch, steps=1, fresh=True, takes=1)
    assert off["cm"] > 1 and off["jerk_ratio"] > 2


def test_duller_motion_and_sliding_feet_count_against_a_checkpoint(pair):
    batch = to_torch(pair[0])
    good = figures(Knowing(batch.target), {"path": batch, "keys": batch}, 1, True, takes=1)
    assert choice(good | {"path_jerk_ratio": 0.5}) > choice(good)
    assert choice(good | {"path_planned_slip_cm_s": good["path_planned_slip_cm_s"] + 20}) > choice(good)


def test_the_first_take_and_the_nearest_of_the_others_are_learnt_from():
    true = torch.zeros(2 * TAKES, 1, 5, 22, 3)
    world = true + torch.arange(2.0 * TAKES)[:, None, None, None, None] + 1
    world[-1] = 0.1  # the second window's last take
    assert nearest_rows(world, true).tolist() == [0, 2, 1, 2 * TAKES - 1]


def test_first_takes_have_no_slow_noise_and_observed_entries_no_answer(pair):
    run = begun("sharpen")
    with torch.no_grad():
        run.student.enter_slow.weight.mul_(100)
        run.student.leave.weight.mul_(100)
    batch, residual = made_takes(run, to_torch(pair[1]))
    takes = residual.reshape(TAKES, -1, *residual.shape[1:])
    assert (residual * batch.mask == 0).all()
    assert (takes[1] - takes[2]).abs().max() > 1e-3


def test_the_critic_sees_how_somebody_moves_and_not_where(pair):
    batch = to_torch(pair[0])
    world = world_joints(batch, batch.target)[:, 0]
    once = seen(world, batch.heading[:, 0], batch.contacts[:, 0])
    assert once.shape[1:] == (CHANNELS, world.shape[1] - 2)
    cos, sin = np.cos(0.7), np.sin(0.7)
    turn = torch.tensor([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], dtype=torch.float32)
    moved = world @ turn + torch.tensor([3.0, -2.0, 0.0])
    assert torch.allclose(once, seen(moved, batch.heading[:, 0] + 0.7, batch.contacts[:, 0]), atol=2e-3)


def test_the_critic_learns_to_tell_trembling_motion():
    torch.manual_seed(0)
    sampler = Sampler(made_clips(), seed=0)
    batch = to_torch(prepare(sampler.draw(8, 60, False), FLAT, np.random.default_rng(0)))
    world, heading, contacts = world_joints(batch, batch.target)[:, 0], batch.heading[:, 0], batch.contacts[:, 0]
    true = seen(world, heading, contacts)
    fake = seen(world + 0.01 * torch.randn(world.shape), heading, contacts)
    critic = Critic()
    opt = torch.optim.AdamW(critic.parameters(), lr=1e-3)
    for step in range(30):
        opt.zero_grad()
        critic_loss(critic, true, fake, smooth=step % 4 == 0).backward()
        opt.step()
    assert critic(true).mean() > critic(fake).mean() + 0.5


def test_a_helper_has_no_say_before_it_knows_anything(pair):
    """The first step of sharpening is that of the errors alone, whatever the critic says."""
    runs = [begun("sharpen") for _ in range(2)]
    with torch.no_grad():
        for p in runs[1].helper.parameters():
            p.mul_(-3)
    for run in runs:
        at_full_rate(run)
        distill.learn(run, pair[:1])
    for a, b in zip(runs[0].student.parameters(), runs[1].student.parameters(), strict=True):
        assert torch.equal(a, b)
