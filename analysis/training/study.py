"""One run of the study, from its configuration to its result; weights that later runs start from are kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from analysis.training import data, plan, standins
from analysis.training.fitting import Recipe, Trained, accuracy, train
from analysis.training.journal import key_of
from analysis.training.modules import Lerp, Stacked, halfway
from analysis.training.networks import Weights
from analysis.training.plan import Configuration

REFITTED = ("hard_gate", "swish", "linear_swish", "two_sided_swish", "split_hard_gate")
LADDER = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)  # rates
LAST = 3  # checkpoints whose mean accuracy on the validation split chooses a rate


def run(configuration: Configuration, cache: Path) -> dict[str, Any]:
    """The result of a configuration of `analysis.training.plan`."""
    return KINDS[configuration["kind"]](_Run(configuration, cache))


@dataclass(frozen=True)
class _Run:
    configuration: Configuration
    cache: Path

    def __getitem__(self, key: str) -> Any:
        return self.configuration[key]

    @cached_property
    def recipe(self) -> Recipe:
        return plan.recipe_of(self.configuration)

    @cached_property
    def data(self) -> data.Data:
        found = data.load(self.recipe.data, self.cache)
        return (found if self["examples"] is None else found.first(self["examples"])).noisy(self.recipe.noise)

    def right(self, weights: Weights, act: Stacked) -> list[float]:
        """Percent of right answers on the test split, a number for each seed."""
        found = accuracy(self.recipe.network, weights, act, self.data.x_test, self.data.y_test)
        return [round(float(one), 4) for one in found]

    def trained(self, function: str) -> Configuration:
        """The configuration that trained the networks a swap starts from."""
        known = {key: self[key] for key in ("recipe", "seeds", "tuning_seeds", "examples", "rates")}
        return {"kind": "train", **known, "function": function}


def _train(run: _Run) -> dict[str, Any]:
    act = standins.stacked(run["function"])

    def trained(seeds: Sequence[int], rates: Sequence[float]) -> Trained:
        return train(run.recipe, run.data, act, seeds, rates)

    rate, means, tuned = _tuned(LADDER, run["rates"], run["tuning_seeds"], trained)
    final = trained(run["seeds"], [rate] * len(run["seeds"]))
    _keep(_weights_path(run.configuration, run.cache), final.weights, tuned)
    formula = standins.function(run["function"]).formula
    found = {"formula": formula, "test": run.right(final.weights, act), "rate": rate, "tuning": means}
    return found | _course(final)


def _swap(run: _Run) -> dict[str, Any]:
    """Rates are tuned anew for the epochs after the swap, on other seeds' networks, by the validation split.

    All of a grid are tried: there may be two good ones, one that hardly moves the weights and one that starts anew.
    """
    recipe = replace(run.recipe, epochs=run["epochs"])
    final_start, tuning_start = _start(run, run["source"])

    def moved(seeds: Sequence[int], rates: Sequence[float]) -> Trained:
        known = final_start if seeds == run["seeds"] else tuning_start
        repeats = len(seeds) // len(next(iter(known.values())))
        start = {name: w.repeat(repeats, *[1] * (w.ndim - 1)) for name, w in known.items()}
        act: Stacked = standins.stacked(run["target"])
        progress = None
        if run["method"] == "lerp":
            lerp = Lerp(standins.stacked(run["source"]).module, act.module, schedule=halfway)
            act, progress = Stacked(lerp), lerp.advance
        return train(recipe, run.data, act, seeds, rates, start, progress=progress, first_epoch=run.recipe.epochs)

    rate, means, _ = _tuned(run["fine_rates"], run["fine_rates"], run["tuning_seeds"], moved)
    final = moved(run["seeds"], [rate] * len(run["seeds"]))
    right = run.right(final.weights, standins.stacked(run["target"]))
    return {"test": right, "rate": rate, "tuning": means, **_course(final)}


def _untuned(run: _Run) -> dict[str, Any]:
    """Accuracy with every stand-in; pre-activations, of the tuning seeds' networks on the training split."""
    weights, others = _start(run, run["source"])
    by_layer = _preactivations(run, others)
    pooled = np.concatenate(by_layer)
    draw = np.random.Generator(np.random.Philox(key=[0, 4]))
    samples = np.sort(draw.choice(pooled, run["samples"], replace=False)).astype(np.float32)
    sigma = round(float(np.sqrt(np.mean(pooled.astype(float) ** 2))), 4)
    refits = {f"{family} refitted": standins.refitted(family, samples) for family in REFITTED}
    rows = {}
    for name in (run["source"], *standins.STAND_INS, *refits):
        text = refits.get(name, name)
        sup, gaussian = standins.errors(text, sigma)
        row: dict[str, Any] = {"formula": standins.function(text).formula, "sup": sup, "gaussian": gaussian}
        row["samples"] = _root_mean_square(text, samples)
        rows[name] = row | {"test": run.right(weights, standins.stacked(text))}
    spread = [round(float(layer.std()), 4) for layer in by_layer]
    means = [round(float(layer.mean()), 4) for layer in by_layer]
    shape = {"root_mean_square": sigma, "layer_deviations": spread, "layer_means": means}
    return {"stand_ins": rows, "preactivations": shape, "samples": [float(f"{x:.6g}") for x in samples]}


KINDS = {"train": _train, "swap": _swap, "untuned": _untuned}


def _tuned(
    ladder: Sequence[float],
    first: Sequence[float],
    seeds: list[int],
    trained: Callable[[Sequence[int], Sequence[float]], Trained],
) -> tuple[float, dict[str, float], Weights]:
    """The rate with the best accuracy on the validation split: the `first` ones are tried, then neighbours of the best.

    Accuracies are means over the seeds and the last checkpoints. The search ends when both neighbours of the best on
    the ladder are known, so the best is at no edge but the ladder's. With it, all means, and the best one's networks.
    """
    means: dict[float, float] = {}
    weights: dict[float, Weights] = {}
    wanted = list(first)
    while wanted:
        found = trained(seeds * len(wanted), np.repeat(wanted, len(seeds)).tolist())
        last = np.nan_to_num(found.validation[-LAST:]).mean(axis=0)
        for i, rate in enumerate(wanted):
            part = slice(i * len(seeds), (i + 1) * len(seeds))
            means[rate] = round(float(last[part].mean()), 4)
            weights[rate] = {name: w[part] for name, w in found.weights.items()}
        best = max(means, key=lambda rate: means[rate])
        at = ladder.index(best)
        wanted = [rate for rate in ladder[max(0, at - 1) : at + 2] if rate not in means]
    return best, {f"{rate:g}": means[rate] for rate in sorted(means)}, weights[best]


def _course(found: Trained) -> dict[str, Any]:
    """The validation accuracy of each seed at the checkpoints, and the mean training loss there."""
    losses = found.losses[np.array(found.checkpoints) - 1].mean(axis=1)
    return {
        "checkpoints": list(found.checkpoints),
        "validation": [[round(float(one), 3) for one in row] for row in found.validation],
        "losses": [float(f"{loss:.4g}") for loss in losses],
    }


def _preactivations(run: _Run, weights: Weights) -> list[np.ndarray]:
    """What the activation is applied to in each layer, over the training split."""
    act, seen = standins.stacked(run["source"]), {}

    def noting(layer: int, own: Weights, z: Tensor) -> Tensor:
        seen[layer] = z.flatten().numpy()
        return act(layer, own, z)

    seeds = len(next(iter(weights.values())))
    with torch.no_grad():
        run.recipe.network.logits(weights, torch.from_numpy(run.data.x).expand(seeds, -1, -1), noting)
    return [seen[layer] for layer in sorted(seen)]


def _root_mean_square(name: str, samples: np.ndarray) -> float:
    x = torch.from_numpy(samples).double()
    gap = standins.stacked(name).module(x) - standins.stacked(standins.TARGET).module(x)
    return float(f"{gap.square().mean().sqrt().item():.6g}")


def _start(run: _Run, function: str) -> tuple[Weights, Weights]:
    """The networks of the study's seeds and of the tuning seeds, trained with a function; trained now if need be."""
    configuration = run.trained(function)
    path = _weights_path(configuration, run.cache)
    if not path.exists():
        _train(_Run(configuration, run.cache))
    with np.load(path) as found:
        both = [{k[1:]: torch.from_numpy(found[k]) for k in found.files if k[0] == part} for part in "fg"]
    return both[0], both[1]


def _weights_path(configuration: Configuration, cache: Path) -> Path:
    return cache / "weights" / f"{key_of(configuration)}.npz"


def _keep(path: Path, final: Weights, tuning: Weights) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    named = {"f" + k: v.numpy() for k, v in final.items()} | {"g" + k: v.numpy() for k, v in tuning.items()}
    np.savez(draft, **named)
    draft.replace(path)
