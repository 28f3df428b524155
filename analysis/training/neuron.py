"""The APTx neuron (Kumar, arXiv:2507.14270), sum_i (alpha_i + tanh(beta_i x_i)) gamma_i x_i + delta, and its layers."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from analysis.activation.errors import BadInput

CHUNK = 2**18  # numbers of a tensor that a layer builds at most, besides its input, its weights and its output


class APTxLayer(nn.Module):
    """`outputs` APTx neurons on the last axis of x, of length `inputs`: any shape (..., inputs) to (..., outputs).

    y_o = sum_i alpha_oi gamma_oi x_i + sum_i gamma_oi x_i tanh(beta_oi x_i) + delta_o. The first sum is a product of
    matrices. The second has a tanh of its own for each (example, o, i): it is summed over outputs in chunks of at most
    `chunk` numbers, or one output's if that is more, and made again in the backward pass. No tensor of
    batch x outputs x inputs is built.

    Starts with alpha = beta = 1, delta = 0 and gamma normal with variance 1/(inputs E((1 + tanh x)^2 x^2)) for x ~
    N(0, 1), so that standard normal inputs give outputs of mean square one. BadInput for sizes below one and for an
    input whose last axis is not `inputs` long.
    """

    def __init__(self, inputs: int, outputs: int, *, chunk: int = CHUNK):
        super().__init__()
        if min(inputs, outputs, chunk) < 1:
            raise BadInput(f"expected positive sizes, got inputs {inputs}, outputs {outputs}, chunk {chunk}")
        self.inputs, self.outputs, self.chunk = inputs, outputs, chunk
        self.alpha = nn.Parameter(torch.ones(outputs, inputs))
        self.beta = nn.Parameter(torch.ones(outputs, inputs))
        self.gamma = nn.Parameter(torch.randn(outputs, inputs) / math.sqrt(inputs * mean_square()))
        self.delta = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 1 or x.shape[-1] != self.inputs:
            raise BadInput(f"expected an input of shape (..., {self.inputs}), got {tuple(x.shape)}")
        flat = x.reshape(-1, self.inputs)
        linear = torch.addmm(self.delta, flat, (self.alpha * self.gamma).T)
        at_once = max(1, self.chunk // max(1, flat.numel()))
        parts = zip(self.beta.split(at_once), self.gamma.split(at_once), strict=True)
        curved = [checkpoint(_curved, flat, beta, gamma, use_reentrant=False) for beta, gamma in parts]
        return (linear + torch.cat(curved, dim=1)).reshape(*x.shape[:-1], self.outputs)

    def extra_repr(self) -> str:
        return f"inputs={self.inputs}, outputs={self.outputs}"


def _curved(x: Tensor, beta: Tensor, gamma: Tensor) -> Tensor:
    """sum_i gamma_oi x_i tanh(beta_oi x_i) for a few outputs o."""
    return torch.einsum("boi,bi,oi->bo", torch.tanh(x.unsqueeze(1) * beta), x, gamma)


class APTxNeuron(APTxLayer):
    """One neuron: (..., inputs) to (..., 1). With one input it is the activation APTx plus a constant."""

    def __init__(self, inputs: int, *, chunk: int = CHUNK):
        super().__init__(inputs, 1, chunk=chunk)


def mean_square() -> float:
    """E((1 + tanh x)^2 x^2) for x ~ N(0, 1), by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    return float(weights @ ((1 + np.tanh(nodes)) * nodes) ** 2 / weights.sum())
