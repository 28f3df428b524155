"""Activations of other packages as independent oracles: aptx-activation and timm."""

import importlib.util
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra frameworks (torch)")

from analysis.deployed import torch_code  # noqa: E402

pytestmark = pytest.mark.extras

X = torch.linspace(-12, 12, 2001, dtype=torch.float64)


@pytest.fixture(scope="module")
def theirs():
    """timm's file of activations alone: the package asks for more than it needs here."""
    package = importlib.util.find_spec("timm")
    if package is None:
        pytest.skip("needs the extra oracles (timm)")
    path = Path(package.submodule_search_locations[0]) / "layers" / "activations.py"
    spec = importlib.util.spec_from_file_location("timm_activations", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        ("mish", "mish"),
        ("silu", "swish"),
        ("hard_swish", "hard_swish"),
        ("hard_sigmoid", "hard_sigmoid"),
        ("h_mish", "hard_mish"),
        ("quick_gelu", "quick_gelu"),
        ("gelu", "gelu"),
        ("gelu_tanh", "gelu_tanh"),
        ("sigmoid", "sigmoid"),
        ("tanh", "tanh"),
    ],
)
def test_timm(theirs, ours, name):
    torch.testing.assert_close(torch_code.module(ours)()(X), getattr(theirs, name)(X), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("constants", [(1.0, 1.0, 0.5), (1.0, 0.5, 0.5), (0.9, 1.3, 0.4)])
def test_aptx(constants):
    package = pytest.importorskip("aptx_activation", reason="needs the extra oracles (aptx-activation)")
    theirs = package.APTx(*constants, trainable=True).double()
    ours = torch_code.module("aptx", trainable=("alpha", "beta", "gamma"))(*constants).double()
    torch.testing.assert_close(ours(X), theirs(X), rtol=1e-10, atol=1e-12)
    ours(X).sum().backward()
    theirs(X).sum().backward()
    for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, its.grad, rtol=1e-6, atol=1e-4)
