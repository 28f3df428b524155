"""NumPy: a module with a function that works through its input in blocks that stay in cache, in place.

The variant is `fast` unless asked otherwise: float32 is computed in float32, a few ulp off and, for Mish, faster than
the formula as one types it. `accurate` computes float32 in float64 and rounds once, at about three times the cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from analysis.activation import functions
from analysis.activation.lowering import Program, expm1, log1p
from analysis.deployed import python_code
from analysis.deployed.kernel import Kernel
from analysis.deployed.python_code import number
from analysis.deployed.steps import LARGEST, Form, Wanted, entry, form, place, unheld

DTYPES = ("float16", "float32", "float64")
VARIANTS = ("fast", "accurate")  # the first is the one that is written unless another is asked for
BLOCK = 2**18  # bytes of an array: a few of them stay in the second level of caches

# head -> the ufunc
_UFUNCS = {
    "+": "np.add",
    "*": "np.multiply",
    "/": "np.divide",
    "**": "np.power",
    "sqrt": "np.sqrt",
    sp.exp: "np.exp",
    expm1: "np.expm1",
    sp.log: "np.log",
    log1p: "np.log1p",
    sp.tanh: "np.tanh",
    sp.atan: "np.arctan",
    sp.sin: "np.sin",
    sp.cos: "np.cos",
    sp.Abs: "np.absolute",
    sp.sign: "np.sign",
    sp.Heaviside: "np.heaviside",
    sp.Max: "np.maximum",
    sp.Min: "np.minimum",
    sp.erf: "special.erf",
    functions.Phi: "special.ndtr",
}
_TESTS = {
    sp.Lt: "np.less",
    sp.Le: "np.less_equal",
    sp.Gt: "np.greater",
    sp.Ge: "np.greater_equal",
    sp.And: "np.logical_and",
    sp.Or: "np.logical_or",
}


def emit(kernel: Kernel) -> str:
    """The text of a Python module with `NAME(x, out=None)`, and `NAME_derivative(x, out=None)` if asked for."""
    wanted = [(kernel.name, 0), *([(f"{kernel.name}_derivative", 1)] if kernel.derivative else [])]
    texts = []
    for name, order in wanted:
        careful = form(Wanted(kernel.expression, order))
        quick = None if order else unheld(kernel.expression)
        texts.append(_function(name, [f for f in (quick, careful) if f is not None]))
    imports = ["import threading", "", "import numpy as np"]
    if any("special." in text for text in texts):
        imports.append("from scipy import special")
    widths = "np.float16: np.float32" + (", np.float32: np.float64" if kernel.variant == "accurate" else "")
    head = [python_code.docstring(kernel), "\n".join(imports), _HEAD.format(block=BLOCK, widths=widths).strip()]
    return "\n\n\n".join(["\n\n".join(head), *texts]) + "\n"


def _function(name: str, written: Sequence[Form]) -> str:
    """A function on blocks and the public one. Of two forms the second is taken where the first gives nan."""
    scratch = _Scratch()
    lines = _Block(written[0], scratch).lines
    if len(written) > 1:
        lines += [
            "least = np.minimum.reduce(out)",
            "if least != least:  # nan, also beyond the range of exp: with x held",
        ]
        lines += ["    " + line for line in _Block(written[1], scratch).lines]
    names = {kind: ", ".join(found) for kind, found in scratch.names().items()}
    unpacked = [f"{found}, = {kind}" for kind, found in names.items() if found]
    return _PUBLIC.format(
        name=name,
        lines=python_code.indented([*unpacked, *lines]),
        constants="".join(f"{value}, " for value in scratch.constants).rstrip(" "),
        registers=scratch.count["r"],
        masks=scratch.count["m"],
    ).strip()


class _Scratch:
    """What the lines of a function share: constants k[i], registers r[i] and conditions m[i]."""

    def __init__(self) -> None:
        self.constants: list[str] = []
        self.count = {"r": 0, "m": 0}

    def constant(self, text: str) -> str:
        """Its name: a zero-dimensional array costs a ufunc less than a number of Python."""
        if text not in self.constants:
            self.constants.append(text)
        return f"k{self.constants.index(text)}"

    def names(self) -> dict[str, list[str]]:
        counts = {"k": len(self.constants), **self.count}
        return {kind: [f"{kind}{i}" for i in range(count)] for kind, count in counts.items()}


class _Block:
    """A form as lines of ufuncs on a block x into `out`; values live in registers r[k], conditions in m[k]."""

    def __init__(self, written: Form, scratch: _Scratch):
        self.scratch = scratch
        self.program: Program = written.program()
        (self.result,) = written.results
        self.lines: list[str] = []
        self.free = {kind: [f"{kind}{i}" for i in reversed(range(n))] for kind, n in scratch.count.items()}
        self.free["r"].append("out")  # which is no part of x: a register like the others until the result is there
        self.place: dict[int, str] = {0: "x", 1: str(LARGEST)}
        self.last = self._last_uses()
        if written.overflows:
            self.lines.append(f"{LARGEST} = 0.99 * np.log(np.finfo(x.dtype).max)")
        for slot in range(2, 2 + len(self.program.instructions)):
            self._write(slot)
        self._finish()

    def _last_uses(self) -> dict[int, int]:
        uses: dict[int, int] = {}
        for slot, (_, operands) in enumerate(self.program.instructions, 2):
            uses |= dict.fromkeys(operands, slot)
        return uses | dict.fromkeys(self.program.results, len(self.program.instructions) + 2)

    def _take(self, kind: str) -> str:
        if not self.free[kind]:
            self.free[kind].append(f"{kind}{self.scratch.count[kind]}")
            self.scratch.count[kind] += 1
        return self.free[kind].pop()

    def _release(self, slot: int, operands: Sequence[int], kept: str = "") -> None:
        for operand in set(operands):
            name = self.place[operand]
            if self.last[operand] == slot and name != kept and (name == "out" or _is_scratch(name)):
                self.free["m" if name[0] == "m" else "r"].append(name)

    def _write(self, slot: int) -> None:
        head, operands = self.program.instructions[slot - 2]
        if not operands:
            self.place[slot] = number(head).replace("math", "np")
            return
        texts = [self.place[k] for k in operands]
        if head in (place, entry):
            self._look_up(slot, head, operands, texts)
            return
        names = [text if text[0].isalpha() else self.scratch.constant(text) for text in texts]
        if head == "where":
            self._select(slot, operands, names)
        elif head is functions.clip:
            self._release(slot, operands)
            target = self.place[slot] = self._take("r")
            self.lines.append(f"np.maximum({names[0]}, {names[1]}, out={target})")
            self.lines.append(f"np.minimum({target}, {names[2]}, out={target})")
        elif head is functions.relu:
            self._call(slot, operands, "r", f"np.maximum({names[0]}, {self.scratch.constant('0')}")
        elif head is functions.step:
            mask, target = self._take("m"), self._take("r")
            self.lines += [f"np.greater_equal({names[0]}, 0, out={mask})", f"{target}[...] = {mask}"]
            self.free["m"].append(mask)
            self._release(slot, operands)
            self.place[slot] = target
        elif head == "*" and "-1" in texts:
            other = names[1 - texts.index("-1")]
            self._call(slot, operands, "r", f"np.negative({other}")
        elif head in _TESTS:
            self._call(slot, operands, "m", f"{_TESTS[head]}({', '.join(names)}")
        else:
            self._call(slot, operands, "r", f"{_UFUNCS[head]}({', '.join(names)}")

    def _look_up(self, slot: int, head: object, operands: Sequence[int], names: list[str]) -> None:
        """The number of a piece, or a coefficient of the pieces with these numbers."""
        numbers = f"np.array([{', '.join(names[1:])}], x.dtype)"
        if head is place:
            self.place[slot] = f"i{slot}"
            self.lines.append(f"i{slot} = np.searchsorted({numbers}, {names[0]}, side='right')")
        else:
            target = self.place[slot] = self._take("r")
            self.lines.append(f"np.take({numbers}, {names[0]}, out={target}, mode='clip')")

    def _call(self, slot: int, operands: Sequence[int], kind: str, call: str) -> None:
        """Operands that are used no more give their register to the result: ufuncs may work in place."""
        self._release(slot, operands)
        self.place[slot] = self._take(kind)
        self.lines.append(f"{call}, out={self.place[slot]})")

    def _select(self, slot: int, operands: Sequence[int], names: list[str]) -> None:
        """The second where the first holds, else the third, in the register of the third if that is used no more."""
        condition, chosen, other = names
        is_last = self.last[operands[2]] == slot and (other == "out" or _is_scratch(other))
        target = other if is_last else self._take("r")
        if not is_last:
            self.lines.append(f"{target}[...] = {other}")
        self.lines.append(f"np.copyto({target}, {chosen}, where={condition})")
        self._release(slot, operands, kept=target)
        self.place[slot] = target

    def _finish(self) -> None:
        """The result goes to `out`, which may be x, with the values at the ends put in."""
        ends = [("-np.inf", self.result.below), ("np.inf", self.result.above)]
        mended = [(self._take("m"), end, number(value)) for end, value in ends if value is not None]
        tests = [f"np.equal(x, {end}, out={mask})" for mask, end, _ in mended]
        final = self.place[self.program.results[0]]
        if final == "out":
            last = []
        elif self.lines and self.lines[-1].endswith(f", out={final})"):
            last = [self.lines.pop().removesuffix(f"{final})") + "out)"]
        else:
            last = [f"out[...] = {final}"]
        puts = [f"np.copyto(out, {value.replace('math', 'np')}, where={mask})" for mask, _, value in mended]
        self.lines += [*tests, *last, *puts]


def _is_scratch(name: str) -> bool:
    """Whether it is a register or a condition."""
    return name[0] in "rm" and name[1:].isdigit()


_HEAD = """
_BLOCK = {block}  # bytes of an array that are worked on at once, in the cache
_WIDER = {{{widths}}}  # computed in that type and rounded once
_KEPT = threading.local()  # scratch arrays, a set for each function and type


def _in_blocks(block, x, out, constants, registers, masks):
    x = np.asarray(x)
    if x.dtype.type not in (np.float16, np.float32, np.float64):
        x = x.astype(np.float64)
    if out is None:
        out = np.empty(x.shape, x.dtype)
    elif out.shape != x.shape or out.dtype != x.dtype:
        raise ValueError(f"expected out of shape {{x.shape}} and type {{x.dtype}}, got {{out.shape}} and {{out.dtype}}")
    elif np.may_share_memory(x, out):
        x = x.copy()
    given = x.dtype.type
    wide = _WIDER.get(given, given)
    key = block.__name__, wide
    if key not in _KEPT.__dict__:
        numbers = [np.array(constant, wide) for constant in constants]
        most = _BLOCK // np.dtype(wide).itemsize
        _KEPT.__dict__[key] = numbers, np.empty((registers + 2, most), wide), np.empty((masks, most), np.bool_)
    numbers, values, tests = _KEPT.__dict__[key]
    source, target = x.reshape(-1), out.reshape(-1)
    blocks = -(-source.size // values.shape[1]) or 1
    size = -(-source.size // blocks) or 1
    with np.errstate(all="ignore"):
        for start in range(0, source.size, size):
            here, there = source[start : start + size], target[start : start + size]
            scratch, conditions = values[:, : here.size], tests[:, : here.size]
            if wide is given:
                block(here, there, numbers, scratch[2:], conditions)
            else:
                scratch[0] = here
                block(scratch[0], scratch[1], numbers, scratch[2:], conditions)
                there[...] = scratch[1]
    if not np.may_share_memory(target, out):
        out[...] = target.reshape(out.shape)
    return out
"""

_PUBLIC = '''
def _{name}(x, out, k, r, m):
{lines}


def {name}(x, out=None):
    """Elementwise, of an array of floats, into `out` if given; the result has the type of x."""
    return _in_blocks(_{name}, x, out, ({constants}), {registers}, {masks})
'''
