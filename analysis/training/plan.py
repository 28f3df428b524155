"""What is trained: recipes, functions, seeds and rates, as configurations that a journal knows again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from analysis.training import standins
from analysis.training.fitting import Recipe
from analysis.training.networks import Network

Configuration = dict[str, Any]

MLP, DIGITS = Recipe(), Recipe(data="digits")
RESIDUAL = Recipe(network=Network("cnn", depth=2, width=10, residual=True))
PLAIN = replace(RESIDUAL, network=replace(RESIDUAL.network, residual=False))
BASES = {"mlp": MLP, "digits": DIGITS, "cnn": PLAIN, "residual cnn": RESIDUAL}
TRAININGS = {"mixup": replace(MLP, mixup=0.2), "constant rate": replace(MLP, schedule="constant")}
GAINS = {"mixup": ("mixup", "mlp"), "cosine annealing": ("mlp", "constant rate")}  # with it, without it


def _network(**changed: Any) -> Recipe:
    return replace(MLP, network=replace(MLP.network, **changed))


# Each axis holds its levels in order; the middle or first one is the base, which is trained once.
AXES: dict[str, dict[str, Recipe]] = {
    "depth": {"1": _network(depth=1), "3": MLP, "6": _network(depth=6)},
    "epochs": {str(count): replace(MLP, epochs=count) for count in (20, 40, 80)},
    "width": {"8": _network(width=8), "32": MLP, "96": _network(width=96)},
    "noise": {"0": MLP, "0.3": replace(MLP, noise=0.3), "0.6": replace(MLP, noise=0.6)},
    "batch": {"30": replace(MLP, batch=30, epochs=30), "100": MLP, "300": replace(MLP, batch=300, epochs=80)},
    "initialiser": {"he": MLP} | {name: _network(initialiser=name) for name in ("xavier", "orthogonal")},
}

PAPER = ("mish", "silu", "relu")
CHEAP = ("hard_mish", standins.GATE, "h_mish", standins.LINEAR, "approx_mish", standins.APTX)
COMPARED = (*PAPER, *CHEAP, standins.APTX + standins.TRAINED)
SOURCE = standins.TARGET
TARGETS = ("relu", "hard_mish", *standins.TOLERANCES)
SOME_TARGETS = ("relu", "hard_mish", "pwl 6")
EPOCHS = (2, 8, 32)
METHODS = ("sudden", "lerp")


@dataclass(frozen=True)
class Size:
    """How much of the plan is run: seeds of the comparison and for tuning, the first rates, all rates after a swap."""

    seeds: tuple[int, ...] = tuple(range(20, 40))  # the plan was settled while looking at those before
    tuning_seeds: tuple[int, ...] = (1003, 1004, 1005)
    rates: tuple[float, ...] = (1e-2, 3e-2)
    fine_rates: tuple[float, ...] = (3e-4, 3e-3, 3e-2)
    examples: int | None = None  # of each split; all by default
    samples: int = 2000

    def trained(self, recipe: Recipe, function: str) -> Configuration:
        """Tune the rate on the validation split, then train every seed."""
        return self._configuration("train", recipe, function=function, rates=self.rates)

    def swapped(self, recipe: Recipe, source: str, target: str, epochs: int, method: str) -> Configuration:
        """Go on from networks trained with `source`, with `target`, for some epochs."""
        changed: Configuration = {"source": source, "target": target, "epochs": epochs, "method": method}
        return self._configuration("swap", recipe, **changed, rates=self.rates, fine_rates=self.fine_rates)

    def untuned(self, recipe: Recipe, source: str) -> Configuration:
        """Put every stand-in into networks trained with `source`, and train nothing."""
        return self._configuration("untuned", recipe, source=source, rates=self.rates, samples=self.samples)

    def _configuration(self, kind: str, recipe: Recipe, **more: Any) -> Configuration:
        shared = {"seeds": self.seeds, "tuning_seeds": self.tuning_seeds, "examples": self.examples}
        return _plain({"kind": kind, "recipe": asdict(recipe), **shared, **more})


def swaps(size: Size, recipe: Recipe, targets: Iterable[str], epochs: Iterable[int]) -> list[Configuration]:
    """From Mish to each target, suddenly and by lerp; each target from its own start, and Mish, for as long."""
    found = []
    for count in epochs:
        found += [size.swapped(recipe, SOURCE, target, count, method) for target in targets for method in METHODS]
        found += [size.swapped(recipe, one, one, count, "sudden") for one in (SOURCE, *targets)]
    return found


def stages(size: Size) -> list[list[Configuration]]:
    """The whole study in order of importance; a stage needs what the ones before it trained."""
    base = [size.trained(MLP, function) for function in (*COMPARED, *standins.TOLERANCES)]
    moved = [size.untuned(MLP, SOURCE), *swaps(size, MLP, TARGETS, EPOCHS[:1])]
    moved += swaps(size, MLP, SOME_TARGETS, EPOCHS[1:2])
    axes = {axis: _each(size, [recipe for recipe in levels.values() if recipe != MLP]) for axis, levels in AXES.items()}
    others = [*_each(size, TRAININGS.values()), *_each(size, [DIGITS]), *swaps(size, MLP, TARGETS[:2], EPOCHS[2:])]
    others += [*axes["depth"], *axes["width"], *_each(size, [RESIDUAL]), *axes["noise"], *axes["initialiser"]]
    others += [*axes["epochs"], *_each(size, [PLAIN]), *axes["batch"]]
    others += [size.trained(RESIDUAL, function) for function in ("hard_mish", "pwl 6")]
    others += [size.trained(DIGITS, function) for function in COMPARED if function not in PAPER]
    late = [size.untuned(RESIDUAL, SOURCE), *swaps(size, RESIDUAL, SOME_TARGETS, EPOCHS[:2])]
    late += [c for c in swaps(size, MLP, TARGETS, EPOCHS[1:]) if c not in moved and c not in others]
    return [base, moved, others, late]


def _each(size: Size, recipes: Iterable[Recipe]) -> list[Configuration]:
    return [size.trained(recipe, function) for recipe in recipes for function in PAPER]


def recipe_of(configuration: Configuration) -> Recipe:
    known = configuration["recipe"]
    return Recipe(**known | {"network": Network(**known["network"])})


def _plain(value: Any) -> Any:
    """As JSON gives it back: lists, not tuples."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
