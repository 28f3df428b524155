"""What `bench` times: our C and NumPy, the formula in NumPy, PyTorch, and a memory copy, on arrays made beforehand.

Each subject is a function of the number of calls. C is called in a loop that is C itself; results go into arrays that
exist already, but for `torch F.NAME`, which is timed as one calls it. With the gradient means: f(x), and then dx from
dy; for C in two passes as a framework does it, and in one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.record import Activation
from analysis.deployed.benchmark_rounds import Calls
from analysis.deployed.compiled import Library, built, compiled
from analysis.deployed.export import Export, export
from analysis.deployed.implementations import naive

RECOMPILED = 256  # functions, types and sizes
SPREAD = 3.0  # standard deviation of the inputs
TORCH = {"relu": "relu", "hard_swish": "hardswish", "silu": "silu", "gelu": "gelu", "mish": "mish"}
LOOPS = """
#include <stddef.h>
#include <string.h>

typedef void two(const void *, void *, size_t);
typedef void three(const void *, void *, void *, size_t);

void repeat_copy(const void *x, void *y, size_t bytes, size_t times) {
    for (size_t i = 0; i < times; i++) {
        memcpy(y, x, bytes);
        __asm__ volatile("" : : "r"(y) : "memory");
    }
}

void repeat_two(two *f, const void *x, void *y, size_t n, size_t times) {
    for (size_t i = 0; i < times; i++)
        f(x, y, n);
}

void repeat_three(three *f, const void *x, void *y, void *z, size_t n, size_t times) {
    for (size_t i = 0; i < times; i++)
        f(x, y, z, n);
}

void repeat_training(two *f, three *backward, const void *x, void *dy, void *y, void *dx, size_t n, size_t times) {
    for (size_t i = 0; i < times; i++) {
        f(x, y, n);
        backward(x, dy, dx, n);
    }
}
"""


@dataclass(frozen=True)
class Subject:
    """Who is timed: `code` (c, numpy, torch, ...), `function`, and `work`: forward, or gradient."""

    code: str
    function: str
    work: str
    calls: Calls

    @property
    def name(self) -> str:
        return f"{self.code} {self.function} {self.work}"


@dataclass(frozen=True)
class Arrays:
    """Inputs, dy, and places for results, of one type and size."""

    x: np.ndarray
    dy: np.ndarray
    y: np.ndarray
    dx: np.ndarray

    @classmethod
    def made(cls, dtype: str, size: int, seed: int = 0) -> Arrays:
        """Normal inputs with the standard deviation `SPREAD`; every page is touched."""
        if dtype not in ("float32", "float64") or size < 1:
            raise BadInput(f"expected float32 or float64 and a positive size, got {dtype} and {size}")
        random = np.random.default_rng(seed)
        x = (SPREAD * random.standard_normal(size)).astype(dtype)
        return cls(x, np.ones_like(x), np.zeros_like(x), np.zeros_like(x))

    @property
    def addresses(self) -> tuple[int, int, int, int]:
        return self.x.ctypes.data, self.dy.ctypes.data, self.y.ctypes.data, self.dx.ctypes.data


def copy(arrays: Arrays) -> Subject:
    """memcpy: what no function can beat."""
    x, _, y, _ = arrays.addresses
    loop = _loops().repeat_copy
    return Subject("copy", "memory", "forward", lambda times: loop(x, y, arrays.x.nbytes, times))


def in_c(exports: Sequence[Export], names: Sequence[str], arrays: Arrays) -> list[Subject]:
    """Forward, and with the gradient where the export has it; all of one library."""
    library = compiled(*exports)
    found = []
    for export_, name in zip(exports, names, strict=True):
        found += _c_subjects(library, export_, name, arrays)
    return found


def _c_subjects(library: Library, made: Export, name: str, arrays: Arrays) -> list[Subject]:
    loops, n, (x, dy, y, dx) = _loops(), arrays.x.size, arrays.addresses

    def symbol(kind: str) -> int:
        return ctypes.cast(library.symbol(made.kernel, kind), ctypes.c_void_p).value or 0

    code, value = f"c {made.kernel.variant}", symbol("value")
    found = [Subject(code, name, "forward", lambda times: loops.repeat_two(value, x, y, n, times))]
    if made.kernel.derivative:
        backward, both = symbol("backward"), symbol("both")
        found += [
            Subject(
                code, name, "gradient", lambda times: loops.repeat_training(value, backward, x, dy, y, dx, n, times)
            ),
            Subject(code, name, "gradient in one pass", lambda times: loops.repeat_three(both, x, y, dx, n, times)),
        ]
    return found


def in_numpy(function: Activation, arrays: Arrays) -> list[Subject]:
    """The formula as one types it, and our module in both variants."""
    from analysis.deployed.torch_code import run

    dtype, plain = arrays.x.dtype.name, naive(function.expression)
    found = [Subject("numpy naive", function.name, "forward", _repeated(lambda: plain(arrays.x)))]
    for variant in ("accurate", "fast"):
        text = export(function, "numpy", dtype=dtype, variant=variant)
        made = getattr(run(str(text.source)), text.kernel.name)
        call = _repeated(partial(made, arrays.x, out=arrays.y))
        found.append(Subject(f"numpy {variant}", function.name, "forward", call))
    return found


def in_torch(function: str, arrays: Arrays, compile_: bool = False) -> Iterator[Subject]:
    """PyTorch's own function, as one calls it and into a place that exists; with `compile_` through torch.compile."""
    try:
        import torch
    except ImportError:
        raise Undecided("torch is needed, and it is not installed") from None
    torch.set_num_threads(1)
    name = TORCH[function]
    eager = getattr(torch.nn.functional, name)
    x, y, dy = (torch.from_numpy(a) for a in (arrays.x, arrays.y, arrays.dy))
    with_gradient = torch.from_numpy(arrays.x).clone().requires_grad_()

    def forward(made: Callable) -> Calls:
        def call() -> None:
            with torch.no_grad():
                made(x)

        return _repeated(call)

    def training(made: Callable) -> Calls:
        def call() -> None:
            with_gradient.grad = None
            made(with_gradient).backward(dy)

        return _repeated(call)

    yield Subject("torch", function, "forward", forward(eager))
    yield Subject("torch", function, "gradient", training(eager))
    operator = getattr(torch.ops.aten, name).out if hasattr(torch.ops.aten, name) else None
    if operator is not None:
        yield Subject("torch into out", function, "forward", forward(lambda x: operator(x, out=y)))
    if compile_:
        torch._dynamo.config.recompile_limit = RECOMPILED  # by default it gives up, and runs eagerly, after eight
        made = torch.compile(eager, dynamic=False)
        yield Subject("torch compiled", function, "forward", forward(made))
        yield Subject("torch compiled", function, "gradient", training(made))


def _repeated(call: Callable[[], object]) -> Calls:
    def calls(times: int) -> None:
        for _ in range(times):
            call()

    return calls


def _loops() -> ctypes.CDLL:
    library = ctypes.CDLL(str(built(LOOPS)))
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    library.repeat_copy.argtypes = [pointer, pointer, size, size]
    library.repeat_two.argtypes = [pointer, pointer, pointer, size, size]
    library.repeat_three.argtypes = [pointer, pointer, pointer, pointer, size, size]
    library.repeat_training.argtypes = [*[pointer] * 6, size, size]
    for name in ("copy", "two", "three", "training"):
        getattr(library, f"repeat_{name}").restype = None
    return library
