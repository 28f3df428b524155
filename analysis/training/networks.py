"""Networks for all seeds at once: weights stacked along a first axis, products batched over it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from analysis.activation.errors import BadInput

Weights = dict[str, Tensor]
Act = Callable[[int, Weights, Tensor], Tensor]  # layer, weights, pre-activations of shape (seeds, batch, ...)

INITIALISERS = ("he", "xavier", "orthogonal")
STEM, KERNEL = 5, 3  # widths of convolutions: the first, which halves the length twice, and the others


@dataclass(frozen=True)
class Network:
    """mlp: `depth` hidden layers of `width` units. cnn: a strided convolution, `depth` blocks of two convolutions with
    `width` channels, the average over places, a linear layer; `residual` adds the input of a block to its output.

    Weights start as normal variates with variance 2/fan_in (he) or 2/(fan_in + fan_out) (xavier), or as
    sqrt(2) times an orthogonal matrix; biases at zero.
    """

    kind: str = "mlp"
    depth: int = 3
    width: int = 32
    residual: bool = False
    initialiser: str = "he"

    def __post_init__(self):
        if self.kind not in ("mlp", "cnn") or self.initialiser not in INITIALISERS or min(self.depth, self.width) < 1:
            raise BadInput(f"expected mlp or cnn, positive sizes and {', '.join(INITIALISERS)}, got {self}")

    @property
    def activations(self) -> int:
        """How many times an activation is applied."""
        return self.depth if self.kind == "mlp" else 1 + 2 * self.depth

    def shapes(self, features: int, classes: int) -> dict[str, tuple[int, int]]:
        """(fan_in, fan_out) of each layer, in order."""
        if self.kind == "mlp":
            sizes = [features, *[self.width] * self.depth, classes]
        else:
            sizes = [STEM, *[self.width] * (2 * self.depth + 1)]
        wide = 1 if self.kind == "mlp" else KERNEL
        pairs = [(a * (wide if i else 1), b) for i, (a, b) in enumerate(pairwise(sizes))]
        if self.kind == "cnn":
            pairs.append((self.width, classes))
        return {f"layer{i}": pair for i, pair in enumerate(pairs)}

    def initial(self, features: int, classes: int, seeds: Sequence[int]) -> Weights:
        """Stacked weights and biases; a seed's do not depend on which others there are, nor on the activation."""
        stacked: Weights = {}
        each = [np.random.Generator(np.random.Philox(key=[seed, 2])) for seed in seeds]
        for name, (fan_in, fan_out) in self.shapes(features, classes).items():
            drawn = np.stack([_drawn(draw, fan_in, fan_out, self.initialiser) for draw in each])
            stacked[f"{name}.weight"] = torch.from_numpy(drawn.astype(np.float32))
            stacked[f"{name}.bias"] = torch.zeros(len(seeds), 1, fan_out)
        return stacked

    def logits(self, weights: Weights, x: Tensor, act: Act) -> Tensor:
        """(seeds, batch, classes) from x of shape (seeds, batch, features)."""
        return self._mlp(weights, x, act) if self.kind == "mlp" else self._cnn(weights, x, act)

    def _mlp(self, weights: Weights, x: Tensor, act: Act) -> Tensor:
        for i in range(self.depth):
            x = act(i, weights, _linear(weights, i, x))
        return _linear(weights, self.depth, x)

    def _cnn(self, weights: Weights, x: Tensor, act: Act) -> Tensor:
        stem = _convolution(weights, 0, x.unsqueeze(-1), STEM, stride=4)
        x = act(0, weights, stem)
        for block in range(self.depth):
            first, second = 2 * block + 1, 2 * block + 2
            inner = act(first, weights, _convolution(weights, first, x, KERNEL))
            outer = _convolution(weights, second, inner, KERNEL)
            x = act(second, weights, outer + x if self.residual else outer)
        return _linear(weights, 2 * self.depth + 1, x.mean(dim=2))


def _drawn(draw: np.random.Generator, fan_in: int, fan_out: int, initialiser: str) -> np.ndarray:
    normal = draw.standard_normal((fan_in, fan_out))
    if initialiser == "orthogonal":
        tall = normal if fan_in >= fan_out else normal.T
        q, r = np.linalg.qr(tall)
        q = q * np.sign(np.diag(r))
        return math.sqrt(2) * (q if fan_in >= fan_out else q.T)
    variance = 2 / fan_in if initialiser == "he" else 2 / (fan_in + fan_out)
    return math.sqrt(variance) * normal


def _linear(weights: Weights, layer: int, x: Tensor) -> Tensor:
    return torch.baddbmm(weights[f"layer{layer}.bias"], x, weights[f"layer{layer}.weight"])


def _convolution(weights: Weights, layer: int, x: Tensor, kernel: int, stride: int = 1) -> Tensor:
    """Over the places of x, (seeds, batch, places, channels), as one batched product of its windows."""
    padded = functional.pad(x, (0, 0, kernel // 2, kernel // 2))
    windows = padded.unfold(2, kernel, stride)
    seeds, batch, places = windows.shape[:3]
    return _linear(weights, layer, windows.reshape(seeds, batch * places, -1)).view(seeds, batch, places, -1)
