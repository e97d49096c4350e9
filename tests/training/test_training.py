"""A training step lowers the loss; the exported graph answers as the network does."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")

from blender_motiondiff.core import reference as ref  # noqa: E402
from blender_motiondiff.core.features import POSITIONS, ROTATIONS, SIZE  # noqa: E402
from blender_motiondiff.core.motion import positions  # noqa: E402
from blender_motiondiff.core.skeleton import FEET  # noqa: E402
from tests.core.made_motion import swinging  # noqa: E402
from training import losses  # noqa: E402
from training.batches import Sampler, prepare  # noqa: E402
from training.dataset import Clip, for_training, kept_out, load_clips, read_index  # noqa: E402
from training.validate import to_torch  # noqa: E402

FLAT = ref.Tables(np.zeros((3, SIZE), np.float32), np.ones(SIZE, np.float32), np.full((3, 14, SIZE), 0.3, np.float32))
WIDE = replace(FLAT, spread=10 * FLAT.spread)  # so wide that no target is clipped


def made_clips():
    names = {"a": "b", "b": "a", "c": "", "d": ""}
    clips = {}
    for i, (name, partner) in enumerate(names.items()):
        motion = swinging(300, seed=i)
        clips[name] = Clip(name, motion, np.ones((300, 4), bool), np.ones(300, bool), partner, "walk")
    return clips


@pytest.mark.parametrize("couples", [False, True])
def test_the_target_leads_back_to_the_recorded_motion(couples):
    sampler = Sampler(made_clips(), seed=0)
    win = sampler.draw(4, 60, couples)
    batch = to_torch(prepare(win, WIDE, np.random.default_rng(0)))
    truth = batch.base + batch.spread * batch.target
    world = losses.to_world(losses.relative_joints(truth), truth, batch.place, batch.heading)
    from blender_motiondiff.core.motion import forward_kinematics

    wanted, _ = forward_kinematics(win.root, win.rotations, win.offsets[:, :, None])
    assert (batch.target.abs() < 6).all()
    assert np.abs(world.numpy() - wanted).max() < 1e-4


def test_kinematics_in_torch_are_those_of_the_core():
    motion = swinging(10)
    from blender_motiondiff.core import rotations as rot

    six = torch.from_numpy(rot.to_6d(motion.rotations)).reshape(1, 1, 10, -1)
    found = losses.kinematics(six, torch.from_numpy(motion.body.offsets)[None, None])[0, 0].numpy()
    assert np.abs(found + motion.root[:, None] - positions(motion)).max() < 1e-9


def test_stance_is_where_feet_are_under_the_body_whichever_way_it_is_turned():
    from blender_motiondiff.core import rotations as rot

    motion = swinging(10)

    def told(turn):
        features = torch.zeros(1, 1, 10, SIZE, dtype=torch.float64)
        rotations = motion.rotations.copy()
        rotations[:, 0] = rot.multiply(rot.about_z(turn), rotations[:, 0])
        features[..., ROTATIONS] = torch.from_numpy(rot.to_6d(rotations)).reshape(1, 1, 10, -1)
        offsets = torch.from_numpy(motion.body.offsets)[None, None]
        return losses.kinematics(features[..., ROTATIONS], offsets), features

    true, mask = told(0.0), torch.zeros(1, 1, 10, SIZE)
    assert losses.stance(*true, *true, mask) == 0
    assert losses.stance(*told(0.7), *true, mask) < 1e-9
    facing = rot.rotate(motion.rotations[:, 0], np.array([0.0, -1.0, 0.0])) * [1.0, 1.0, 0.0]
    ahead = true[0].clone()
    ahead[..., [FEET[0], FEET[2]], :] += torch.from_numpy(0.1 * rot.normalize(facing))[:, None]
    assert losses.stance(ahead, true[1], *true, mask) == pytest.approx(0.1, abs=1e-3)
    assert losses.stance(ahead, true[1], *true, torch.ones_like(mask)) == 0


def test_a_few_steps_lower_the_loss():
    from blender_motiondiff.core.denoiser.network import Denoiser
    from training.train import learn, optimisers, set_rates

    torch.manual_seed(0)
    sampler, rng = Sampler(made_clips(), seed=0), np.random.default_rng(0)
    batches = [prepare(sampler.draw(4, 48, c), FLAT, rng) for c in (False, True)]
    net = Denoiser(width=48, layers=1, dropout=0.0)
    opts, generator = optimisers(net), torch.Generator().manual_seed(0)
    set_rates(opts, 0.0, 1000)
    parts = [learn(net, opts, batches, losses.channel_weights(SIZE), generator) for _ in range(40)]
    first, last = (
        np.mean([p["single_residual"] + p["couple_residual"] for p in group]) for group in (parts[:4], parts[-4:])
    )
    assert last < 0.9 * first


def test_observed_entries_and_absent_partners():
    from blender_motiondiff.core.denoiser.network import Denoiser
    from training.export import sample_input

    net = Denoiser(width=48, layers=2).eval()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.02 * torch.randn_like(p))
        noisy, given, free, level, present, distance = sample_input(2, 2, 40)
        free[:, 0, 10:20, POSITIONS] = 0
        out = net(noisy, given, free, level, present, distance)
        assert (out[:, 0, 10:20, POSITIONS] == 0).all() and (out[:, 1, 10:20, POSITIONS] != 0).any()
        alone = net(noisy[:, :1], given[:, :1], free[:, :1], level, present[:, :1] * 0, distance)
        absent = net(noisy, given, free, level, present * 0, distance)[:, :1]
        uncoupled = net(noisy[:, :1], given[:, :1], free[:, :1], level, present[:, :1], distance, couple=False)
    assert torch.allclose(alone, absent, atol=1e-6) and torch.allclose(alone, uncoupled, atol=1e-6)
    assert not torch.allclose(out[:, :1], absent, atol=1e-4)


def test_the_clips_kept_out_exist_and_are_never_trained_on(data):
    rows = read_index(data)
    assert kept_out() <= set(rows)
    singles = [n for n, r in rows.items() if not r["partner"]]
    share = len([n for n in kept_out() if n in singles]) / len(singles)
    assert 0.08 < share < 0.13 and {"060_03", "061_03", "060_14", "061_14"} <= kept_out()
    clips = load_clips(data, names={"060_03", "061_03", "007_01"})
    assert set(for_training(clips, rows)) == {"007_01"}


def test_recorded_clips_stand_on_the_ground_at_human_size(data):
    clips = load_clips(data, names={"007_01", "060_03", "061_03", "hdm05_bd_depositFloorR_001", "006_10"})
    for clip in clips.values():
        toes = positions(clip.motion)[clip.good][:, [10, 11], 2].min(1)
        rest = clip.motion.body.foot_heights[1]
        assert abs(np.percentile(toes, 10) - rest) < 0.01, clip.name
        assert 0.7 < clip.motion.body.leg < 1.0 and clip.contacts[clip.good].any(1).mean() > 0.2
    a, b = clips["060_03"].motion, clips["061_03"].motion
    apart = np.linalg.norm(a.root[:, :2] - b.root[:, :2], axis=1)
    assert apart.min() > 0.3 and apart.max() < 2.2


def test_being_in_the_wrong_place_costs_as_much_as_all_joints_being_there():
    truth = torch.zeros(1, 2, 10, SIZE)
    answer = truth.clone()
    answer[:, 1, :, 0] = 0.3
    answer[:, 0, :, 1] = 5.0
    free = torch.ones_like(truth)
    free[:, 0] = 0.0  # the one who is given can't be elsewhere
    assert losses.place(answer, truth, free) == pytest.approx(0.3)
    assert losses.place(answer, truth, 0 * free) == 0.0


def test_trembling_is_an_error_and_gliding_is_none():
    time = torch.arange(12.0)[None, None, :, None, None]
    still = torch.zeros(1, 1, 12, 22, 3)
    assert losses.acceleration(still + 0.01 * time, still) < 1e-3
    assert losses.acceleration(still + 0.001 * (time % 2), still) > 1.0


def test_numbers_keep_seven_bits_after_the_point():
    from training.export import rounded

    values = np.random.default_rng(0).uniform(1e-3, 3.0, 1000).astype(np.float32) * [[1], [-1]]
    kept = rounded(values)
    assert kept.dtype == np.float16 and (kept.view(np.uint16) & 7 == 0).all()
    np.testing.assert_allclose(kept, values, rtol=2.0**-8 + 2.0**-11)
    np.testing.assert_array_equal(rounded(kept), kept)
    assert (rounded(np.array([0.0, 1.0, -0.5, 1 + 2**-7])) == [0.0, 1.0, -0.5, 1 + 2**-7]).all()
