"""Activations as modules: interpolation on a schedule, trainable constants, stacked networks."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train (torch)")

from analysis.activation.errors import BadInput  # noqa: E402
from analysis.training import standins  # noqa: E402
from analysis.training.modules import Lerp, Stacked, aptx, module  # noqa: E402

pytestmark = pytest.mark.extras

X = torch.linspace(-6, 6, 121, dtype=torch.float64)


def test_lerp_goes_from_one_to_the_other():
    mish, relu = module("mish"), module("relu")
    lerp = Lerp(mish, relu)
    assert torch.equal(lerp(X), mish(X))
    lerp.advance(0.25)
    assert torch.allclose(lerp(X), 0.75 * mish(X) + 0.25 * relu(X))
    lerp.advance(1)
    assert torch.equal(lerp(X), relu(X))


def test_the_schedule_decides_the_pace_and_t_is_saved():
    lerp = Lerp(module("mish"), module("relu"), schedule=lambda progress: min(1.0, 2 * progress))
    lerp.advance(0.25)
    assert lerp.state_dict()["t"] == 0.5
    lerp.advance(0.7)
    assert lerp.t == 1
    other = Lerp(module("mish"), module("relu"))
    other.load_state_dict(lerp.state_dict())
    assert other.t == 1


@pytest.mark.parametrize("progress", [-0.1, 1.1, float("nan")])
def test_a_progress_outside_0_1_is_a_bad_input(progress):
    with pytest.raises(BadInput, match=r"expected progress in \[0, 1\]"):
        Lerp(module("mish"), module("relu")).advance(progress)


def test_gradients_through_a_lerp_are_those_of_both():
    lerp, x = Lerp(module("mish"), module("silu"), t=0.3), X.clone().requires_grad_()
    (found,) = torch.autograd.grad(lerp(x).sum(), x)
    parts = [torch.autograd.grad(module(f)(x).sum(), x)[0] for f in ("mish", "silu")]
    assert torch.allclose(found, 0.7 * parts[0] + 0.3 * parts[1], atol=1e-6)  # t is a single-precision number


def test_aptx_trains_its_three_constants():
    net, x = aptx(), X.float()
    target = (1.2 + torch.tanh(0.7 * x)) * 0.4 * x
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(800):
        optimiser.zero_grad()
        (net(x) - target).square().mean().backward()
        optimiser.step()
    found = {name: p.item() for name, p in net.named_parameters()}
    assert found == pytest.approx({"alpha": 1.2, "beta": 0.7, "gamma": 0.4}, abs=0.02)


@pytest.mark.parametrize("shape", [(3, 5, 4), (3, 2, 5, 4)])
def test_stacked_constants_are_each_seeds_own(shape):
    stacked = Stacked(aptx())
    weights = stacked.initial(3, 2)
    weights["act1.beta"] = torch.tensor([[0.5], [1.0], [2.0]], requires_grad=True)
    z = torch.randn(shape)
    found = stacked(1, weights, z)
    for seed, beta in enumerate((0.5, 1.0, 2.0)):
        assert torch.allclose(found[seed], (1 + torch.tanh(beta * z[seed])) * 0.5 * z[seed], atol=1e-6)
    assert torch.allclose(stacked(0, weights, z), (1 + torch.tanh(z)) * 0.5 * z, atol=1e-6)
    (slope,) = torch.autograd.grad(found.sum(), weights["act1.beta"])
    own = (0.5 * z**2 / torch.cosh(torch.tensor([0.5, 1, 2]).view(-1, *[1] * (z.ndim - 1)) * z) ** 2).flatten(1).sum(1)
    assert torch.allclose(slope.squeeze(1), own, rtol=1e-4)


@pytest.mark.parametrize(("name", "tolerance"), standins.TOLERANCES.items())
def test_designs_keep_the_tolerance_they_stand_for(name, tolerance):
    """Certified; and no smaller one of the study's designs does."""
    (_, upper), _ = standins.errors(name, 1.0)
    assert float(upper) <= tolerance
    gap = (standins.stacked(name).module(X) - standins.stacked("mish").module(X)).abs().max().item()
    assert gap <= tolerance


def test_a_star_trains_all_constants_of_a_family():
    assert list(standins.stacked(standins.APTX + "*").parameters) == ["alpha", "beta", "gamma"]
    assert standins.stacked(standins.APTX).parameters == {}


def test_an_unknown_name_is_a_bad_input():
    with pytest.raises(BadInput, match="hardmish"):
        standins.function("hardmish")
