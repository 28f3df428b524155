"""What can be measured: our exports, the straightforward formula, and the functions of libraries, on NumPy arrays."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import sympy as sp

from analysis.activation import functions, lowering
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.lowering import log1p
from analysis.activation.parsing import X, excerpt
from analysis.activation.record import Activation
from analysis.deployed.compiled import compiled
from analysis.deployed.export import export

Arrays = Callable[[np.ndarray], np.ndarray]
OURS = ("c", "numpy", "torch", "jax")
LIBRARIES = {"torch:F.": "torch.nn.functional", "jax:nn.": "jax.nn"}
HALVES = ("float16", "bfloat16")
KNOWN = f"{', '.join(OURS)}, numpy:naive, numpy:lowering, {', '.join(f'{prefix}NAME' for prefix in LIBRARIES)}"


@dataclass(frozen=True)
class Implementation:
    """`call` takes and returns arrays of the type, those of bfloat16 as float32; `mark` tells its versions apart."""

    name: str
    call: Arrays
    mark: str


def implementation(
    of: str, function: Activation, dtype: str, derivative: bool = False, variant: str = "accurate"
) -> Implementation:
    """Our code (`c`, `numpy`, `torch`, `jax`), `numpy:naive`, `numpy:lowering`, or a library's: `torch:F.mish`.

    What needs a package or a compiler that is not installed raises Undecided; a name that is none, BadInput.
    """
    for prefix, module in LIBRARIES.items():
        if of.startswith(prefix):
            name = f"{of}, gradient" if derivative else of
            return Implementation(name, _of_library(of, prefix, module, dtype, derivative), _version(module))
    if of in ("numpy:naive", "numpy:lowering"):
        expression = functions.derivative(function.expression, X) if derivative else function.expression
        made = naive(expression) if of == "numpy:naive" else lowering.evaluator(expression)
        if dtype == "bfloat16":
            raise BadInput("expected a dtype that NumPy has, got bfloat16")
        return Implementation(of, lambda x: np.asarray(made(x), x.dtype), _version("numpy"))
    if of not in OURS:
        raise BadInput(f"expected an implementation out of {KNOWN}, got {excerpt(of)}")
    return _ours(of, function, dtype, derivative, variant)


def naive(expression: sp.Expr) -> Arrays:
    """The formula in NumPy as one types it, in the type of the input: x*tanh(log1p(exp(x)))."""
    plain = expression.replace(functions.softplus, lambda z: log1p(sp.exp(z)))
    made = sp.lambdify(X, functions.elementary(plain), ["numpy", "scipy"])  # of both, the first

    def call(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.broadcast_to(made(x), x.shape)

    return call


def _ours(of: str, function: Activation, dtype: str, derivative: bool, variant: str) -> Implementation:
    if of == "c":
        narrow = dtype in HALVES
        text = export(function, "c", dtype="float32" if narrow else dtype, derivative=derivative, variant=variant)
        library = compiled(text)
        kind = library.derivative if derivative else library.value

        def direct(x: np.ndarray) -> np.ndarray:
            return kind(text.kernel, x)

        if not narrow:
            return Implementation(f"c, {variant}", direct, _mark(text.source))
        name = f"c, {variant}, rounded from float32"
        return Implementation(name, lambda x: rounded(direct(x.astype(np.float32)), dtype), _mark(text.source))
    text = export(function, of, dtype=dtype, derivative=derivative, variant=variant)
    name = f"{text.kernel.name}_derivative" if derivative else text.kernel.name
    made = getattr(_module(of, str(text.source)), name)
    call = made if of == "numpy" else _on_tensors(of, made, dtype)
    return Implementation(f"{of}, {variant}", call, _mark(text.source))


def rounded(y: np.ndarray, dtype: str) -> np.ndarray:
    """float32 to the nearest number of a type with 16 bits, ties to even; of bfloat16 as float32."""
    if dtype == "float16":
        with np.errstate(over="ignore"):
            return y.astype(np.float16)
    bits = y.view(np.uint32)
    nearest = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return np.where(np.isnan(y), y, nearest.astype(np.uint32).view(np.float32))


def _module(language: str, source: str):
    from analysis.deployed.torch_code import run

    _framework(language)
    return run(source)


def _of_library(of: str, prefix: str, module: str, dtype: str, derivative: bool) -> Arrays:
    framework = prefix.split(":", maxsplit=1)[0]
    _framework(framework)
    name = of.removeprefix(prefix)
    made = getattr(importlib.import_module(module), name, None) if name.isidentifier() else None
    if made is None or name.startswith("_"):
        raise BadInput(f"expected a function of {module}, got {excerpt(name)}")
    return _on_tensors(framework, _gradient(framework, made) if derivative else made, dtype)


def _framework(name: str) -> None:
    try:
        importlib.import_module(name)
    except ImportError:
        raise Undecided(f"{name} is needed, and it is not installed") from None


def _on_tensors(framework: str, made: Callable, dtype: str) -> Arrays:
    """On arrays of NumPy; bfloat16 goes in and comes out as float32."""
    if framework == "torch":
        import torch

        kind = getattr(torch, dtype)
        back = torch.float32 if dtype == "bfloat16" else kind

        def on_torch(x: np.ndarray) -> np.ndarray:
            return made(torch.from_numpy(x).to(kind)).detach().to(back).numpy()

        return on_torch
    import jax

    if dtype == "float64":
        jax.config.update("jax_enable_x64", True)
    wanted = jax.numpy.dtype(dtype)

    def on_jax(x: np.ndarray) -> np.ndarray:
        y = made(jax.numpy.asarray(x).astype(wanted))
        return np.asarray(y, np.float32 if dtype == "bfloat16" else dtype)

    return on_jax


def _gradient(framework: str, made: Callable) -> Callable:
    """What the library's own differentiation gives."""
    if framework == "torch":

        def on_torch(x):
            x = x.clone().requires_grad_()
            made(x).sum().backward()
            return x.grad

        return on_torch
    import jax

    return jax.jit(jax.vmap(jax.grad(made)))


def _version(module: str) -> str:
    name = module.split(".", maxsplit=1)[0]
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name


def _mark(source: str | bytes) -> str:
    data = source if isinstance(source, bytes) else source.encode()
    return hashlib.sha256(data).hexdigest()[:16]
