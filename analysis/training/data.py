"""Data that needs no download: MNIST-1D, which is generated, and the digits that scikit-learn ships."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.activation.errors import BadInput

CACHE = Path("build/training")
HELD_OUT = 0.2  # of all examples for the validation split, and as many for the test split
# Settings were chosen with the published MNIST-1D and other splits in view; what is recorded was drawn anew after that.
DRAW = 2026


@dataclass(frozen=True)
class Data:
    """Three splits of standardised inputs (examples x features, float32) with their labels (int64)."""

    name: str
    classes: int
    x: np.ndarray
    y: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def features(self) -> int:
        return self.x.shape[1]

    def noisy(self, deviation: float) -> Data:
        """The same examples, each with Gaussian noise of that standard deviation, in all splits; drawn once."""
        if deviation == 0:
            return self
        draw = np.random.Generator(np.random.Philox(key=[DRAW, 1]))
        xs = [a + deviation * draw.standard_normal(a.shape) for a in (self.x, self.x_validation, self.x_test)]
        x, x_validation, x_test = (a.astype(np.float32) for a in xs)
        return Data(self.name, self.classes, x, self.y, x_validation, self.y_validation, x_test, self.y_test)

    def first(self, count: int) -> Data:
        """The first examples of each split, for a quick look."""
        x, y, xv, yv, xt, yt = (
            a[:count] for a in (self.x, self.y, self.x_validation, self.y_validation, self.x_test, self.y_test)
        )
        return Data(self.name, self.classes, x, y, xv, yv, xt, yt)


def load(name: str, cache: Path = CACHE) -> Data:
    """mnist1d (40 features, 4000 + 1000 examples) or digits (64 features, 1797 examples).

    Splits are drawn once, the same for every study. MNIST-1D is made with the published settings but a seed of our own;
    its test split stays the test split. BadInput for another name.
    """
    if name not in READERS:
        raise BadInput(f"expected data out of {', '.join(READERS)}, got {name!r}")
    return READERS[name](cache)


def _mnist1d(cache: Path) -> Data:
    path = cache / f"mnist1d_{DRAW}.npz"
    if not path.exists():
        from mnist1d.data import get_dataset_args, make_dataset

        settings = get_dataset_args()
        settings.seed = DRAW
        made = make_dataset(settings)
        _keep(path, {key: made[key] for key in ("x", "y", "x_test", "y_test")})
    with np.load(path) as found:
        x, y, x_test, y_test = (found[key] for key in ("x", "y", "x_test", "y_test"))
    kept, held = _split(len(x), HELD_OUT * (len(x) + len(x_test)) / len(x))
    return _data("mnist1d", (x[kept], y[kept]), (x[held], y[held]), (x_test, y_test))


def _digits(cache: Path) -> Data:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    rest, test = _split(len(x), HELD_OUT)
    kept, held = (rest[part] for part in _split(len(rest), HELD_OUT / (1 - HELD_OUT)))
    return _data("digits", (x[kept], y[kept]), (x[held], y[held]), (x[test], y[test]))


READERS = {"mnist1d": _mnist1d, "digits": _digits}


def _split(count: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.Generator(np.random.Philox(key=[DRAW, 0])).permutation(count)
    cut = count - round(share * count)
    return order[:cut], order[cut:]


def _data(name: str, *splits: tuple[np.ndarray, np.ndarray]) -> Data:
    """Standardised by the mean and deviation of the training split as a whole."""
    mean, deviation = splits[0][0].mean(), splits[0][0].std()
    arrays = [a for x, y in splits for a in (((x - mean) / deviation).astype(np.float32), y.astype(np.int64))]
    return Data(name, int(splits[0][1].max()) + 1, *arrays)


def _keep(path: Path, arrays: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    np.savez(draft, **arrays)  # type: ignore[arg-type]
    draft.replace(path)
