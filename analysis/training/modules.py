"""Activations as modules: exported code, interpolation from one to another on a schedule, constants that train.

The formula of a module is the text that `actapprox export --to torch` writes, so a study runs what ships.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from analysis.activation.errors import BadInput
from analysis.activation.record import Activation
from analysis.deployed import torch_code


def linear(progress: float) -> float:
    """The schedule that moves at a constant pace."""
    return progress


def halfway(progress: float) -> float:
    """Moves at a constant pace and has arrived after half of the steps."""
    return min(1.0, 2 * progress)


class Lerp(nn.Module):
    """(1 - t) F(x) + t G(x), from the module `old` to the module `new`; t is a buffer, so it is saved with the rest.

    `advance(progress)` sets t to schedule(progress), where progress in [0, 1] is the share of the steps done. BadInput
    for a progress or a t outside [0, 1].
    """

    t: Tensor

    def __init__(self, old: nn.Module, new: nn.Module, t: float = 0.0, schedule: Callable[[float], float] = linear):
        super().__init__()
        self.old, self.new, self.schedule = old, new, schedule
        self.register_buffer("t", torch.tensor(_share("t", t)))

    def advance(self, progress: float) -> None:
        self.t.fill_(_share("t", self.schedule(_share("progress", progress))))

    def forward(self, x: Tensor) -> Tensor:
        return torch.lerp(self.old(x), self.new(x), self.t.to(x.dtype))


def _share(what: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise BadInput(f"expected {what} in [0, 1], got {value:g}")
    return float(value)


def module(function: str | Activation, trainable: Sequence[str] = ()) -> nn.Module:
    """The exported code of a function; the constants named in `trainable` are parameters that start at their values."""
    return torch_code.module(function, trainable=tuple(trainable))()


def aptx(alpha: str = "1", beta: str = "1", gamma: str = "1/2") -> nn.Module:
    """(alpha + tanh(beta x)) gamma x with its three constants trainable (Kumar, arXiv:2209.06119)."""
    return module(f"aptx(alpha={alpha}, beta={beta}, gamma={gamma})", ("alpha", "beta", "gamma"))


class Stacked:
    """A module applied after every layer of stacked networks; what it trains is each layer's and each seed's own."""

    def __init__(self, applied: nn.Module):
        self.module = applied
        self.parameters = {name: value.detach() for name, value in applied.named_parameters()}

    def initial(self, seeds: int, layers: int) -> dict[str, Tensor]:
        """Weights of shape (seeds, 1) for each trainable constant of each layer."""
        return {
            f"act{layer}.{name}": value.expand(seeds, 1).clone()
            for layer in range(layers)
            for name, value in self.parameters.items()
        }

    def __call__(self, layer: int, weights: dict[str, Tensor], z: Tensor) -> Tensor:
        if not self.parameters:
            return self.module(z)
        own = {name: weights[f"act{layer}.{name}"].squeeze(1) for name in self.parameters}
        return torch.vmap(lambda constants, x: functional_call(self.module, constants, (x,)))(own, z)
