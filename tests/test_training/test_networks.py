"""Stacked networks compute what one network at a time computes."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train (torch)")

import numpy as np  # noqa: E402
from torch.nn import functional  # noqa: E402

from analysis.activation.errors import BadInput  # noqa: E402
from analysis.training.networks import INITIALISERS, Network  # noqa: E402

pytestmark = pytest.mark.extras


def gelu(layer, weights, z):
    return functional.gelu(z)


def test_an_mlp_is_linear_layers_with_the_activation_between():
    net = Network("mlp", depth=2, width=8)
    weights, x = net.initial(6, 3, [4, 5]), torch.randn(2, 7, 6)
    weights["layer1.bias"] += 0.3
    found = net.logits(weights, x, gelu)
    for seed in range(2):
        h = x[seed]
        for layer in range(3):
            h = h @ weights[f"layer{layer}.weight"][seed] + weights[f"layer{layer}.bias"][seed]
            h = functional.gelu(h) if layer < 2 else h
        assert torch.allclose(found[seed], h, atol=1e-5)


@pytest.mark.parametrize("residual", [True, False])
def test_a_cnn_is_convolutions(residual):
    net = Network("cnn", depth=2, width=4, residual=residual)
    weights, x = net.initial(40, 10, [1, 2, 3]), torch.randn(3, 5, 40)
    found = net.logits(weights, x, gelu)

    def convolved(seed, layer, h, stride=1):
        flat = weights[f"layer{layer}.weight"][seed]  # channels x places of the window, to channels
        kernel = flat.T.reshape(flat.shape[1], h.shape[1], -1)
        return functional.conv1d(h, kernel, stride=stride, padding=kernel.shape[2] // 2)

    for seed in range(3):
        h = functional.gelu(convolved(seed, 0, x[seed].unsqueeze(1), stride=4))
        for block in (1, 3):
            inner = functional.gelu(convolved(seed, block, h))
            h = functional.gelu(convolved(seed, block + 1, inner) + (h if residual else 0))
        expected = h.mean(dim=2) @ weights["layer5.weight"][seed]
        assert torch.allclose(found[seed], expected, atol=1e-5)


@pytest.mark.parametrize("initialiser", INITIALISERS)
def test_a_seeds_start_does_not_depend_on_the_others(initialiser):
    net = Network(initialiser=initialiser)
    alone, among = net.initial(40, 10, [7]), net.initial(40, 10, [3, 7, 9])
    assert all(torch.equal(alone[name][0], among[name][1]) for name in alone)
    assert not torch.equal(among["layer0.weight"][0], among["layer0.weight"][1])


def test_the_variances_are_the_stated_ones():
    for initialiser, variance in {"he": 2 / 400, "xavier": 2 / 600}.items():
        drawn = Network(width=200, initialiser=initialiser).initial(400, 10, [0])["layer0.weight"]
        assert drawn.var().item() == pytest.approx(variance, rel=0.05)
    q = Network(width=50, initialiser="orthogonal").initial(80, 10, [0])["layer0.weight"][0]
    assert np.allclose(q.T @ q, 2 * np.eye(50), atol=1e-5)


@pytest.mark.parametrize("wrong", [{"kind": "rnn"}, {"depth": 0}, {"width": -1}, {"initialiser": "zeros"}])
def test_what_is_no_network_is_a_bad_input(wrong):
    with pytest.raises(BadInput):
        Network(**wrong)
