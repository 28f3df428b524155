"""Training all seeds at once is training each of them, by torch's own optimiser, again and again the same."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train (torch)")
pytest.importorskip("sklearn", reason="needs the extra train (scikit-learn)")

import numpy as np  # noqa: E402

from analysis.training import data, standins  # noqa: E402
from analysis.training.fitting import Recipe, accuracy, train  # noqa: E402
from analysis.training.modules import Lerp, Stacked, halfway  # noqa: E402
from analysis.training.networks import Network  # noqa: E402

pytestmark = pytest.mark.extras

RECIPE = Recipe(network=Network(depth=2, width=12), data="digits", epochs=2, batch=50, schedule="constant")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return data.load("digits", tmp_path_factory.mktemp("cache")).first(200)


def trained(digits, recipe=RECIPE, name="mish", seeds=(1, 2, 3), rates=(1e-2, 1e-2, 1e-3), **options):
    return train(recipe, digits, standins.stacked(name), seeds, rates, **options)


def test_the_same_seeds_give_the_same_weights(digits):
    one, other = trained(digits), trained(digits)
    assert all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)
    assert np.array_equal(one.validation, other.validation)


def test_a_seed_alone_is_the_seed_among_others(digits):
    among, alone = trained(digits), trained(digits, seeds=[2], rates=[1e-2])
    for name in alone.weights:
        assert torch.allclose(among.weights[name][1], alone.weights[name][0], atol=1e-4)


def test_it_is_torchs_adam_on_one_network(digits):
    """Batches in the same order, one network, nn.functional, torch.optim."""
    found = trained(digits, seeds=[4], rates=[3e-3])
    start = RECIPE.network.initial(64, 10, [4])
    weights = {name: w[0].clone().requires_grad_() for name, w in start.items()}
    adam = torch.optim.Adam(weights.values(), lr=3e-3)
    x, y = torch.from_numpy(digits.x), torch.from_numpy(digits.y)
    for epoch in range(2):
        draw = np.random.Generator(np.random.Philox(key=[4, 3], counter=epoch << 128))
        for part in torch.from_numpy(draw.permutation(len(x))).split(50):
            h = x[part]
            for layer in range(3):
                h = h @ weights[f"layer{layer}.weight"] + weights[f"layer{layer}.bias"]
                h = torch.nn.functional.mish(h) if layer < 2 else h
            adam.zero_grad()
            torch.nn.functional.cross_entropy(h, y[part]).backward()
            adam.step()
    for name, w in weights.items():
        assert torch.allclose(found.weights[name][0], w, atol=1e-4)


def test_the_order_of_batches_and_the_start_do_not_depend_on_the_activation(digits):
    """Two names of one function give one network; so all that differs between functions is the function."""
    one, other = trained(digits, name="silu"), trained(digits, name="swish(beta=1)")
    assert all(torch.allclose(one.weights[name], other.weights[name], atol=1e-5) for name in one.weights)


def test_training_learns(digits):
    found = trained(digits, recipe=replace(RECIPE, epochs=30), rates=[1e-2] * 3)
    assert found.losses[-1].max() < 0.3 * found.losses[0].min()
    right = accuracy(RECIPE.network, found.weights, standins.stacked("mish"), digits.x_test, digits.y_test)
    assert right.min() > 70


def test_going_on_is_the_second_half_of_a_longer_training_but_for_what_adam_remembers(digits):
    first = trained(digits)
    second = trained(digits, weights=first.weights, first_epoch=2)
    again = trained(digits, weights=first.weights, first_epoch=2)
    other = trained(digits, weights=first.weights, first_epoch=0)
    assert torch.equal(second.weights["layer0.weight"], again.weights["layer0.weight"])
    assert not torch.equal(second.weights["layer0.weight"], other.weights["layer0.weight"])


@pytest.mark.parametrize("changed", [{"mixup": 0.2}, {"schedule": "cosine"}])
def test_mixup_and_cosine_change_the_course(digits, changed):
    plain, other = trained(digits), trained(digits, recipe=replace(RECIPE, **changed))
    assert not torch.equal(plain.weights["layer0.weight"], other.weights["layer0.weight"])
    assert np.isfinite(other.losses).all()


def test_a_lerp_of_a_function_with_itself_is_no_lerp(digits):
    mish = standins.stacked("mish").module
    lerp = Lerp(mish, mish, schedule=halfway)
    found = train(RECIPE, digits, Stacked(lerp), (1, 2, 3), (1e-2, 1e-2, 1e-3), progress=lerp.advance)
    assert lerp.t == 1
    plain = trained(digits)
    assert all(torch.allclose(found.weights[name], plain.weights[name], atol=1e-3) for name in plain.weights)


def test_trainable_constants_move_and_differ_by_seed(digits):
    found = trained(digits, name=standins.APTX + "*")
    betas = found.weights["act0.beta"].flatten().tolist()
    assert len(set(betas)) == 3
    assert 1.0 not in betas
