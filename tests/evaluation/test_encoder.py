"""The encoder sees a motion as it is wherever it stands; distances behave; what is published is what was learnt."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core.denoiser.weights import write_tensors
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import scaled, turned
from evaluation import encoder
from tests.core.made_motion import swinging


def random_encoder(seed=0):
    rng = np.random.default_rng(seed)
    tensors = {n: rng.normal(0, 0.1, shape).astype(np.float32) for n, shape in encoder.SHAPES.items()}
    for name in ("deviation", "scale"):
        tensors[name] = np.abs(tensors[name]) + 0.5
    return encoder.Encoder(tensors)


def cut(motion, start, end):
    return replace(motion, root=motion.root[start:end], rotations=motion.rotations[start:end])


def test_place_heading_and_size_change_nothing():
    known, motion = random_encoder(), swinging(90)
    elsewhere = scaled(turned(motion, 2.1, (4.0, -7.0, 0.0)), 0.8)
    a, b, other = encoder.features(known, [motion, elsewhere, swinging(90, 1)])
    assert np.abs(a - b).max() < 1e-3 < np.abs(a - other).max()


def test_motions_of_any_length_come_back_in_order():
    known, motion = random_encoder(), swinging(120)
    parts = [cut(motion, 0, 60), motion, cut(motion, 10, 70), cut(motion, 0, encoder.SHORTEST)]
    together = encoder.features(known, parts)
    assert together.shape == (4, encoder.WIDTH)
    for row, part in zip(together, parts, strict=True):
        np.testing.assert_allclose(row, encoder.features(known, [part])[0], rtol=1e-4, atol=1e-5)
    assert encoder.features(known, []).shape == (0, encoder.WIDTH)
    with pytest.raises(ValueError, match="20 frames is too short"):
        encoder.features(known, [cut(motion, 0, 20)])


def test_what_is_faster_or_higher_is_seen():
    places = encoder.joints_of(swinging(60))[None]
    plain, high = (encoder.frame_features(p) for p in (places, places + np.float32([0, 0, 0.1])))
    heights = np.flatnonzero(np.abs(high - plain).max((0, 1)) > 1e-3)
    np.testing.assert_array_equal(heights, 3 * np.arange(22) + 2)
    fast = encoder.frame_features(places[:, ::2])
    speeds = slice(66, 132)
    assert np.abs(fast[..., speeds]).mean() > 1.8 * np.abs(plain[..., speeds]).mean()


def test_the_distance_is_that_of_normal_distributions():
    rng = np.random.default_rng(0)
    a = rng.normal(0, 1, (20000, 4))
    b = rng.normal(0, 1, (20000, 4)) * [2.0, 1.0, 1.0, 0.5] + [3.0, 0.0, 0.0, 0.0]
    assert encoder.frechet(a, b) == pytest.approx(9 + 1 + 0.25, rel=0.03)
    assert encoder.frechet(a, b) == pytest.approx(encoder.frechet(b, a), rel=1e-6)
    assert encoder.frechet(a, a) < 1e-3


def test_few_windows_of_one_kind_are_not_far_apart():
    rng = np.random.default_rng(1)
    sets = rng.normal(0, 1, (12, 15, encoder.WIDTH))  # fewer than numbers a window
    same = np.mean([encoder.frechet(a, b) for a, b in zip(sets[::2], sets[1::2], strict=True)])
    moved = np.mean([encoder.frechet(a, b + 1.0) for a, b in zip(sets[::2], sets[1::2], strict=True)])
    assert same < 3.0 and moved > same + 20.0
    assert np.isfinite(encoder.frechet(sets[0][:1], sets[1]))


def test_diversity_is_the_mean_distance_of_pairs():
    corners = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert encoder.diversity(corners) == pytest.approx(5.0)
    assert encoder.diversity(corners[:1]) == 0.0 == encoder.diversity(np.ones((5, 2)))
    many = np.random.default_rng(0).normal(size=(50, 8))
    assert encoder.diversity(many, 3) == encoder.diversity(many, 3) != encoder.diversity(many, 4)


@pytest.mark.parametrize(
    ("action", "description", "tag"),
    [
        ("walk", "sneak, 2 steps, left foot first", "walk"), ("salsa (pair)", "salsa dance, leader", "salsa"),
        ("playground (props)", "walk over", None), ("", "Walks in a circle", "walk"), ("", "two who dance", "dance"),
        ("", "basketball - dribble, shoot", "sport"), ("", "jog in a circle", "run"), ("", "a workshop", None),
        ("", "", None), ("breakdance", "", "dance"),
    ],
)  # fmt: skip
def test_clips_get_the_tag_that_their_index_says(action, description, tag):
    assert encoder.tag_of(action, description) == tag


def test_every_tag_of_the_classifier_can_be_said():
    known = random_encoder()
    for k, name in enumerate(encoder.NAMES):
        tensors = {**known.tensors, "tags.bias": np.eye(len(encoder.NAMES), dtype=np.float32)[k] * 100}
        assert encoder.tags(encoder.Encoder(tensors), [swinging(60)]) == [name]


def test_a_damaged_file_is_refused_in_one_line(tmp_path):
    tensors = {n: np.zeros(s, np.float16) for n, s in encoder.SHAPES.items()}
    write_tensors(tmp_path / "whole.safetensors", tensors)
    assert encoder.load(tmp_path / "whole.safetensors").tensors["mean"].dtype == np.float32
    write_tensors(tmp_path / "part.safetensors", {n: tensors[n] for n in ("mean", "deviation")})
    write_tensors(tmp_path / "other.safetensors", {**tensors, "mean": np.zeros(7, np.float16)})
    (tmp_path / "text.safetensors").write_text("These are no numbers.")
    for name in ("part", "other", "text", "missing"):
        with pytest.raises(FileError, match="can't be read") as raised:
            encoder.load(tmp_path / f"{name}.safetensors")
        assert f"{name}.safetensors" in str(raised.value) and "\n" not in str(raised.value)


def test_the_published_encoder_is_small_and_knows_recorded_motion_from_made_up():
    assert encoder.FILE.stat().st_size < 2_000_000
    known = encoder.load()
    made = [swinging(90, seed, speed=0.0) for seed in range(12)]
    assert np.linalg.norm(encoder.features(known, made).mean(0)) > 2.0  # recorded windows lie about 0


def test_the_published_encoder_tells_kept_out_clips_apart(data):
    from evaluation.train_encoder import codes, fixed_windows, says, stretches
    from training.dataset import kept_out, load_clips, read_index

    rows = read_index(data)
    names = {n for n in kept_out() if rows[n]["action_class"] in ("salsa (pair)", "walk", "martial arts", "everyday")}
    windows = fixed_windows(stretches(load_clips(data, names=names), rows))
    labels = np.array([label for _, label, _ in windows])
    tensors = encoder.load().tensors
    assert (says(tensors, codes(tensors, windows), "tags") == labels).mean() > 0.7


def test_training_writes_what_the_encoder_computes():
    torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")
    from evaluation import train_encoder

    torch.manual_seed(0)
    net = train_encoder.Net().eval()
    places = np.stack([encoder.joints_of(swinging(75, seed)) for seed in range(3)])
    mean, deviation = np.full(encoder.FRAME, 0.1, np.float32), np.full(encoder.FRAME, 1.5, np.float32)
    with torch.no_grad():
        code, _, flaws = net(torch.from_numpy((encoder.frame_features(places) - mean) / deviation))
    tensors = train_encoder.numbers_of(net, mean, deviation)
    assert {n: v.shape for n, v in tensors.items()} | {"centre": (32,), "scale": (32,)} == encoder.SHAPES
    found = encoder.embed(encoder.Encoder(tensors), places)
    np.testing.assert_allclose(found, code.numpy(), atol=1e-5)
    np.testing.assert_array_equal(train_encoder.says(tensors, found, "flaws"), flaws.argmax(-1))


def test_a_few_steps_of_training_tell_two_kinds_apart():
    torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")
    from evaluation import train_encoder

    torch.manual_seed(0)
    pool = [(encoder.joints_of(swinging(200, s, speed=3.0 * (s % 2))), 30.0, s % 2, f"made {s}") for s in range(8)]
    windows = train_encoder.Windows(pool, 0)
    mean, deviation = np.zeros(encoder.FRAME, np.float32), np.ones(encoder.FRAME, np.float32)
    net = train_encoder.Net()
    train_encoder.train(net, windows, mean, deviation, steps=25, report=lambda line: None)
    tensors = train_encoder.numbers_of(net, mean, deviation)
    held = train_encoder.fixed_windows(pool)
    right = train_encoder.says(tensors, train_encoder.codes(tensors, held), "tags") == [k for _, k, _ in held]
    assert np.mean(right) > 0.9


def test_flaws_are_what_they_are_called():
    pytest.importorskip("torch", reason="torch is not installed (make torch)")
    from evaluation import train_encoder

    places = encoder.joints_of(swinging(90))

    def rough(p):
        return np.abs(np.diff(p, n=3, axis=0)).mean()

    made = {k: train_encoder.spoil(places, k, np.random.default_rng(0)) for k in encoder.FLAWS}
    assert all(p.shape == places.shape for p in made.values()) and made["none"] is places
    assert rough(made["jitter"]) > 3 * rough(places) and rough(made["blurred"]) < 0.7 * rough(places)
    own = {k: (p - p[:, :1]) for k, p in made.items()}
    assert np.abs(own["gliding"] - own["none"]).max() < 1e-5 < np.abs(made["gliding"] - places).max()
    assert own["stiff"].std(0).mean() < 0.7 * own["none"].std(0).mean()
    assert np.ptp((made["lifted"] - places)[..., 2]) < 1e-5 < np.abs(made["lifted"] - places)[..., 2].min()
