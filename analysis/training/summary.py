"""From the journal to the record: accuracies, paired comparisons by question, and what they say of the claims."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy import stats

from analysis.training import claimed, data, plan, standins
from analysis.training.comparing import LEVEL, Paired, holm, paired, spread, trend
from analysis.training.journal import Journal
from analysis.training.plan import Configuration, Size

Record = dict[str, Any]
RISE = 0.5  # points by which the last sixth of the checkpoints may lie above the one before


def settings() -> dict[str, plan.Recipe]:
    """Every recipe that functions are compared in, by its name; the levels of an axis as "depth 8"."""
    found = plan.BASES | plan.TRAININGS
    for axis, levels in plan.AXES.items():
        found |= {f"{axis} {level}": recipe for level, recipe in levels.items() if recipe != plan.MLP}
    return found


def of(size: Size, journal: Journal) -> tuple[Record, dict[str, list[float]]]:
    """The record of what the journal holds of the plan, and the samples of pre-activations of each model."""
    known = _Known(size, journal)
    configurations = [c for stage in plan.stages(size) for c in stage]
    done = [c for c in configurations if c in journal]
    record: Record = {
        "protocol": _protocol(size),
        "planned": len(configurations),
        "carried_out": len(done),
        "processor_seconds": round(sum(journal.seconds(c) for c in done)),
        "trained": known.trained(),
        "questions": known.questions(),
        "swaps": {model: known.swaps(model) for model in ("mlp", "residual cnn")},
        "untuned": {model: row for model in ("mlp", "residual cnn") if (row := known.untuned(model))},
    }
    record["claims"] = claimed.of(record)
    samples = {m: journal[c]["samples"] for m in record["untuned"] if (c := known.untuned_of(m)) in journal}
    return _finite(record), samples


def _finite(value: Any) -> Any:
    """With null for what is not a number, which JSON has not."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _protocol(size: Size) -> Record:
    recipes = {name: asdict(recipe) for name, recipe in settings().items()}
    return asdict(size) | {
        "draw": data.DRAW,
        "settings": recipes,
        "level": LEVEL,
        "rise": RISE,
        "tolerances": standins.TOLERANCES,
    }


class _Known:
    """The results of a journal by setting and function."""

    def __init__(self, size: Size, journal: Journal):
        self.size, self.journal = size, journal

    def test(self, setting: str, function: str) -> np.ndarray | None:
        """The accuracies of the seeds; None where the run is not done."""
        configuration = self.size.trained(settings()[setting], function)
        return np.array(self.journal[configuration]["test"]) if configuration in self.journal else None

    def functions(self, setting: str) -> list[str]:
        names = dict.fromkeys((*plan.COMPARED, *standins.TOLERANCES))
        return [name for name in names if self.test(setting, name) is not None]

    def trained(self) -> list[Record]:
        return [self._row(setting, name) for setting in settings() for name in self.functions(setting)]

    def _row(self, setting: str, function: str) -> Record:
        configuration = self.size.trained(settings()[setting], function)
        found = self.journal[configuration]
        course = np.array(found["validation"]).mean(axis=1)
        part = max(1, len(course) // 6)
        rise = course[-part:].mean() - course[-2 * part : -part].mean() if len(course) > 1 else np.inf
        return {
            "setting": setting,
            "function": function,
            "formula": found["formula"],
            "rate": found["rate"],
            "tuning": found["tuning"],
            **described(found["test"]),
            "checkpoints": found["checkpoints"],
            "validation": [round(float(v), 3) for v in course],
            "losses": found["losses"],
            "rise": round(float(rise), 3),
            "levelled": bool(rise <= RISE),
            "seconds": round(self.journal.seconds(configuration), 1),
        }

    # questions

    def questions(self) -> dict[str, list[Record]]:
        """Comparisons in groups, each corrected for its own number; accuracies in points of percent."""
        groups: dict[str, dict[str, Paired]] = {"mish and others": {}, "spread": {}, "stand-ins": {}}
        for setting in settings():
            for other in plan.PAPER[1:]:
                mish, against = self.test(setting, plan.SOURCE), self.test(setting, other)
                if mish is not None and against is not None:
                    groups["mish and others"][f"{setting}|{plan.SOURCE}|{other}"] = paired(mish - against)
                    if ratio := spread(mish, against):
                        groups["spread"][f"{setting}|{plan.SOURCE}|{other}"] = ratio
        for setting in plan.BASES:
            mish = self.test(setting, plan.SOURCE)
            for other in self.functions(setting):
                against = self.test(setting, other)
                if mish is not None and against is not None and other not in plan.PAPER:
                    groups["stand-ins"][f"{setting}|{other}|{plan.SOURCE}"] = paired(against - mish)
        groups["trend"] = self._trends()
        groups["gain"], groups["difference of gains"] = self._gains()
        return {question: _rows(found) for question, found in groups.items()}

    def _trends(self) -> dict[str, Paired]:
        """The change of Mish's advantage for each doubling of depth or width."""
        found = {}
        for axis in ("depth", "width"):
            levels = plan.AXES[axis]
            names = [f"{axis} {level}" if recipe != plan.MLP else "mlp" for level, recipe in levels.items()]
            for other in plan.PAPER[1:]:
                pairs = [(self.test(name, plan.SOURCE), self.test(name, other)) for name in names]
                gaps = [a - b for a, b in pairs if a is not None and b is not None]
                if 1 < len(gaps) == len(names):
                    found[f"{axis}|{plan.SOURCE}|{other}"] = trend([float(level) for level in levels], gaps)
        return found

    def _gains(self) -> tuple[dict[str, Paired], dict[str, Paired]]:
        """What mixup and cosine annealing add to each function, and how much more to Mish than to another."""
        each: dict[str, Paired] = {}
        beside: dict[str, Paired] = {}
        for training, (one, other) in plan.GAINS.items():
            gains = {}
            for name in plan.PAPER:
                changed, plain = self.test(one, name), self.test(other, name)
                if plain is not None and changed is not None:
                    gains[name] = changed - plain
            each |= {f"{training}|{name}|{name}": paired(gain) for name, gain in gains.items()}
            if plan.SOURCE in gains:
                others = [name for name in gains if name != plan.SOURCE]
                beside |= {f"{training}|{plan.SOURCE}|{n}": paired(gains[plan.SOURCE] - gains[n]) for n in others}
        return each, beside

    # the swap

    def swaps(self, model: str) -> Record:
        """Accuracies of every way to move, and their paired comparisons: the difference is `one` minus `other`."""
        ways = self._ways(model)
        pairs: dict[str, dict[str, Paired]] = {"lerp and sudden": {}, "tuned and from the start": {}, "and mish": {}}
        for (target, epochs, way), test in ways.items():
            mine = {w: t for (one, count, w), t in ways.items() if (one, count) == (target, epochs)}
            kept = ways.get((plan.SOURCE, epochs, "kept"))
            label = f"{target}|{epochs}"
            if way == "lerp" and "sudden" in mine:
                pairs["lerp and sudden"][f"{label}|lerp|sudden"] = paired(test - mine["sudden"])
            if way in plan.METHODS and "start" in mine:
                pairs["tuned and from the start"][f"{label}|{way}|start"] = paired(test - mine["start"])
            if way != "kept" and kept is not None:
                pairs["and mish"][f"{label}|{way}|kept"] = paired(test - kept)
        rates = self._rates(model)
        said = [
            {
                "target": target,
                "epochs": epochs,
                "way": way,
                "rate": rates.get((target, epochs, way)),
                **described(test),
            }
            for (target, epochs, way), test in ways.items()
        ]
        compared = {q: _rows(found, ("target", "epochs", "one", "other")) for q, found in pairs.items()}
        for row in (row for rows in compared.values() for row in rows):
            row["epochs"] = int(row["epochs"])
        for row in compared["lerp and sudden"]:
            row["same_rate"] = len({rates[row["target"], row["epochs"], way] for way in plan.METHODS}) == 1
        return {"ways": said, "questions": compared}

    def _asked(self, model: str) -> dict[tuple[str, int, str], Configuration]:
        """The configuration of every way in which something is trained after the swap, as far as it is done."""
        recipe, found = plan.BASES[model], {}
        for epochs in plan.EPOCHS:
            for target in plan.TARGETS:
                for way in plan.METHODS:
                    found[target, epochs, way] = self.size.swapped(recipe, plan.SOURCE, target, epochs, way)
                found[target, epochs, "start"] = self.size.swapped(recipe, target, target, epochs, "sudden")
            found[plan.SOURCE, epochs, "kept"] = self.size.swapped(recipe, plan.SOURCE, plan.SOURCE, epochs, "sudden")
        return {key: configuration for key, configuration in found.items() if configuration in self.journal}

    def _rates(self, model: str) -> dict[tuple[str, int, str], float]:
        return {key: self.journal[configuration]["rate"] for key, configuration in self._asked(model).items()}

    def _ways(self, model: str) -> dict[tuple[str, int, str], np.ndarray]:
        """none: nothing trained after the swap; start: the cheap one for the whole budget; kept: Mish for as long."""
        found = {}
        base = self.test(model, plan.SOURCE)
        untuned = self.untuned_of(model)
        if base is not None:
            found[plan.SOURCE, 0, "kept"] = base
        if untuned in self.journal:
            rows = self.journal[untuned]["stand_ins"]
            found |= {(target, 0, "none"): np.array(rows[target]["test"]) for target in plan.TARGETS}
        return found | {key: np.array(self.journal[c]["test"]) for key, c in self._asked(model).items()}

    # what predicts the loss

    def untuned_of(self, model: str) -> Configuration:
        return self.size.untuned(plan.BASES[model], plan.SOURCE)

    def untuned(self, model: str) -> Record | None:
        """The loss of accuracy of every stand-in beside its errors, rank correlations, and refitted constants."""
        configuration = self.untuned_of(model)
        if configuration not in self.journal:
            return None
        found = self.journal[configuration]
        tests = {name: np.array(row["test"]) for name, row in found["stand_ins"].items()}
        source = tests.pop(plan.SOURCE)
        losses = holm({name: paired(source - test) for name, test in tests.items()})
        kept = found["stand_ins"]
        rows = [
            {"name": name, **{k: kept[name][k] for k in ("formula", "sup", "gaussian", "samples")}}
            | described(tests[name])
            | {"loss": loss.to_dict()}
            for name, loss in losses.items()
        ]
        fitted = {n.removesuffix(" refitted"): n for n in tests if n.endswith(" refitted")}
        refits = {f"{f}|samples|sup": paired(tests[n] - tests[f"best {f}"]) for f, n in fitted.items()}
        published = [n for n in tests if n not in fitted.values()]
        ranks = _ranks({n: kept[n] for n in published}, {n: source - tests[n] for n in published})
        shape = found["preactivations"]
        return {"source": described(source), "stand_ins": rows, "ranks": ranks, "refits": _rows(refits), **shape}


def _ranks(errors: dict[str, Record], losses: dict[str, np.ndarray]) -> Record:
    """Spearman's correlation of each error with the loss over the stand-ins: of the mean loss, and for each seed."""
    by_seed = np.array(list(losses.values()))
    found: Record = {"count": len(losses)}
    each = {}
    for kind in ("sup", "gaussian", "samples"):
        values = [float(e[kind] if kind == "samples" else e[kind][1]) for e in errors.values()]
        each[kind] = np.array([stats.spearmanr(values, column).statistic for column in by_seed.T])
        found[kind] = {"of_means": round(float(stats.spearmanr(values, by_seed.mean(axis=1)).statistic), 4)}
        found[kind]["by_seed"] = paired(each[kind]).to_dict()
    for kind in ("gaussian", "samples"):
        found[f"{kind} and sup"] = paired(each[kind] - each["sup"]).to_dict()
    return found


def described(test: Iterable[float]) -> Record:
    """The accuracies of the seeds in percent, with their mean and standard deviation."""
    values = np.asarray(list(test), float)
    mean, deviation = round(float(values.mean()), 4), round(float(values.std(ddof=1)), 4)
    return {"test": values.tolist(), "mean": mean, "deviation": deviation}


def _rows(found: dict[str, Paired], keys: tuple[str, ...] = ("setting", "one", "other")) -> list[Record]:
    """Corrected for their number, with the parts of each name as keys."""
    return [dict(zip(keys, name.split("|"), strict=True)) | row.to_dict() for name, row in holm(found).items()]
