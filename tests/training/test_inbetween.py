"""Training of the interpolation between keys: what it is asked, and that it learns."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")

from blender_motiondiff.core import inbetween as core  # noqa: E402
from blender_motiondiff.core import reference as ref  # noqa: E402
from training import inbetween  # noqa: E402
from training.batches import Sampler  # noqa: E402

from .test_training import FLAT, made_clips  # noqa: E402


@pytest.fixture(scope="module")
def pool():
    return inbetween.Pool(Sampler(made_clips(), 0), 24)


def test_it_is_asked_what_the_reference_would_ask(pool):
    full = np.zeros(inbetween.FRAMES, bool)
    full[[5, 35, 80]] = True
    asked = inbetween.question(
        FLAT, pool.features[0], pool.heading[0], full, lambda start, end: start + np.arange(1, 9)
    )
    relative = inbetween.laid_out(pool.features[0], pool.heading[0], full)[0]
    mask = np.repeat(full[:, None], relative.shape[1], 1)
    base = ref.interpolate(relative, mask, FLAT.mean[0])
    rows = [slice(6, 14), slice(36, 44)]
    assert np.allclose(asked[2], [base[r][:, core.CHANNELS] for r in rows], atol=1e-5)
    assert np.allclose(asked[3], [relative[r][:, core.CHANNELS] for r in rows])
    assert asked[4].tolist() == [30, 45]


def test_a_network_that_says_nothing_is_linear_and_one_that_learns_is_nearer(pool):
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    net = inbetween.Between(width=64)
    first = pool.batch(rng, FLAT, 24)
    assert torch.equal(inbetween.answered(net.eval(), first, FLAT.deviation), first.base)
    optimiser = torch.optim.AdamW(net.train().parameters(), lr=3e-3)
    for _ in range(60):
        asked = pool.batch(rng, FLAT, 24)
        inbetween.loss_of(asked, inbetween.answered(net, asked, FLAT.deviation)).backward()
        optimiser.step()
        optimiser.zero_grad()
    errors = [
        inbetween.errors(first, a)[1].mean()
        for a in (inbetween.answered(net.eval(), first, FLAT.deviation), first.base)
    ]
    assert errors[0] < 0.96 * errors[1]


def test_the_product_answers_as_it_was_trained(pool):
    net = inbetween.Between(width=32)
    with torch.no_grad():
        net.layers[-1].weight.normal_(0, 0.1)
    asked = pool.batch(np.random.default_rng(1), FLAT, 8)
    with torch.no_grad():
        trained = net.eval()(asked.told)
    assert np.allclose(core.coefficients(net.numbers(), asked.told.numpy()), trained.numpy(), atol=1e-5)
    again = inbetween.Between(width=32).eval()
    again.go_on_from(net.numbers())
    assert torch.equal(again(asked.told), trained)
