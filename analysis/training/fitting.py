"""Training all seeds of a configuration at once: Adam, a rate for each seed, the same batches for each activation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from analysis.training.data import Data
from analysis.training.modules import Stacked
from analysis.training.networks import Network, Weights

CHECKPOINTS = 12  # at which the validation split is looked at
FIRST, SECOND, TINY = 0.9, 0.999, 1e-8  # Adam's decay rates and its epsilon (Kingma and Ba, arXiv:1412.6980)
AT_ONCE = 512  # examples of a forward pass without training


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: everything but its activation, its learning rate and its seeds.

    `noise` is the deviation of what is added to all inputs, `mixup` the alpha of its Beta distribution, 0 for none;
    the `schedule` of the rate is cosine, from the rate to 0 over all steps, or constant.
    """

    network: Network = field(default_factory=Network)
    data: str = "mnist1d"
    epochs: int = 40
    batch: int = 100
    noise: float = 0.0
    mixup: float = 0.0
    schedule: str = "cosine"


@dataclass(frozen=True)
class Trained:
    """Weights after the last epoch, and what was seen on the way; accuracies are (checkpoints x seeds), in percent."""

    weights: Weights
    checkpoints: tuple[int, ...]
    losses: np.ndarray  # of training, the mean over each epoch: epochs x seeds
    validation: np.ndarray


def train(
    recipe: Recipe,
    data: Data,
    act: Stacked,
    seeds: Sequence[int],
    rates: Sequence[float],
    weights: Weights | None = None,
    looks: Sequence[int] | None = None,
    progress: Callable[[float], None] | None = None,
    first_epoch: int = 0,
) -> Trained:
    """Trains one network for each seed, with its rate, from `weights` or from the seed's own start.

    A seed decides the start and the order of the examples, from `first_epoch` on, whatever the activation. `progress`
    is called before each step with the share of the steps that will be done after it.
    """
    start = recipe.network.initial(data.features, data.classes, seeds) if weights is None else weights
    start = start | {k: v for k, v in act.initial(len(seeds), recipe.network.activations).items() if k not in start}
    names, shapes = list(start), [start[name].shape for name in start]
    sizes = [math.prod(shape[1:]) for shape in shapes]
    flat = torch.cat([start[name].reshape(len(seeds), -1) for name in names], dim=1).requires_grad_()
    adam = _Adam(flat, torch.tensor(rates, dtype=flat.dtype).view(-1, 1))

    def unpacked() -> Weights:
        parts = torch.split(flat, sizes, dim=1)
        return {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}

    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)
    at = tuple(looks or _checkpoints(recipe.epochs))
    losses, validation = [], []
    steps = math.ceil(len(x) / recipe.batch)
    for epoch in range(recipe.epochs):
        order = _Order(seeds, first_epoch + epoch, len(x), recipe.mixup)
        total = torch.zeros(len(seeds))
        for step in range(steps):
            done = (epoch * steps + step) / (recipe.epochs * steps)
            if progress:
                progress((epoch * steps + step + 1) / (recipe.epochs * steps))
            loss = order.loss(recipe, unpacked(), act, x, y, step)
            (slope,) = torch.autograd.grad(loss.sum(), flat)
            adam.step(slope, 0.5 * (1 + math.cos(math.pi * done)) if recipe.schedule == "cosine" else 1.0)
            total += loss.detach()
        losses.append((total / steps).numpy())
        if epoch + 1 in at:
            with torch.no_grad():
                validation.append(accuracy(recipe.network, unpacked(), act, data.x_validation, data.y_validation))
    with torch.no_grad():
        final = {name: part.detach().clone() for name, part in unpacked().items()}
    return Trained(final, at, np.array(losses), np.array(validation))


def accuracy(network: Network, weights: Weights, act: Stacked, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Percent of right answers of each seed's network."""
    seeds = len(next(iter(weights.values())))
    right = np.zeros(seeds)
    with torch.no_grad():
        for first in range(0, len(x), AT_ONCE):
            part = torch.from_numpy(x[first : first + AT_ONCE]).expand(seeds, -1, -1)
            found = network.logits(weights, part, act).argmax(dim=-1)
            right += (found == torch.from_numpy(y[first : first + AT_ONCE])).sum(dim=1).numpy()
    return 100 * right / len(x)


class _Order:
    """The examples of an epoch in each seed's own order, and what mixes them."""

    def __init__(self, seeds: Sequence[int], epoch: int, count: int, mixup: float):
        each = [np.random.Generator(np.random.Philox(key=[seed, 3], counter=epoch << 128)) for seed in seeds]
        self.order = torch.from_numpy(np.stack([draw.permutation(count) for draw in each]))
        if mixup:
            self.partner = torch.from_numpy(np.stack([draw.permutation(count) for draw in each]))
            shares = np.stack([draw.beta(mixup, mixup, count) for draw in each])
            self.share = torch.from_numpy(shares.astype(np.float32))

    def loss(self, recipe: Recipe, weights: Weights, act: Stacked, x: Tensor, y: Tensor, step: int) -> Tensor:
        """Cross-entropy of each seed's batch."""
        part = slice(step * recipe.batch, (step + 1) * recipe.batch)
        chosen = self.order[:, part]
        inputs = x[chosen]
        if not recipe.mixup:
            return _cross_entropy(recipe.network.logits(weights, inputs, act), y[chosen])
        # Zhang et al., mixup, arXiv:1710.09412: a batch and a shuffled one, a share for each batch.
        other, share = self.partner[:, part], self.share[:, step].view(-1, 1, 1)
        logits = recipe.network.logits(weights, share * inputs + (1 - share) * x[other], act)
        flat = share.view(-1)
        return flat * _cross_entropy(logits, y[chosen]) + (1 - flat) * _cross_entropy(logits, y[other])


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return each.view(labels.shape).mean(dim=1)


class _Adam:
    def __init__(self, flat: Tensor, rates: Tensor):
        self.flat, self.rates = flat, rates
        self.mean, self.square, self.steps = torch.zeros_like(flat), torch.zeros_like(flat), 0

    @torch.no_grad()
    def step(self, slope: Tensor, factor: float) -> None:
        self.steps += 1
        self.mean.lerp_(slope, 1 - FIRST)
        self.square.mul_(SECOND).addcmul_(slope, slope, value=1 - SECOND)
        root = (self.square / (1 - SECOND**self.steps)).sqrt_().add_(TINY)
        self.flat.sub_(self.mean / root * (self.rates * (factor / (1 - FIRST**self.steps))))


def _checkpoints(epochs: int) -> tuple[int, ...]:
    return tuple(sorted({max(1, round(epochs * k / CHECKPOINTS)) for k in range(1, CHECKPOINTS + 1)}))
