"""What is exported: an activation under a name, in a float type, with the certificate that its header carries."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

import sympy as sp
from sympy.printing.c import reserved_words, reserved_words_c99
from sympy.printing.cxx import reserved

from analysis.activation.errors import BadInput
from analysis.activation.parsing import excerpt
from analysis.activation.record import Activation

DTYPES = ("float16", "bfloat16", "float32", "float64")
VARIANTS = ("accurate", "fast")
LONGEST_NAME = 48
SHOWN = 400  # characters of a formula in a header

# what the texts import; "catch" stands in sympy's list of C++ with a comma; "half" is a type of CUDA
_IMPORTED = ("jax", "jnp", "lax", "math", "nn", "np", "numpy", "scipy", "special", "threading", "torch")
_MORE = ("catch", "half", "main", "register", *_IMPORTED)
_WORDS = frozenset([*keyword.kwlist, *reserved_words, *reserved_words_c99, *reserved["C++17"], *_MORE])


@dataclass(frozen=True)
class Measured:
    """The error of the code in units in the last place of its type, against the exact value of its formula.

    `worst_input` is where the error is largest, as C writes a hexadecimal float; `inputs` how many were tried.
    """

    ulp: float
    worst_input: str
    inputs: int
    derivative_ulp: float | None = None
    derivative_worst_input: str | None = None

    def to_dict(self) -> dict:
        return {
            "ulp": self.ulp,
            "worst_input": self.worst_input,
            "inputs": self.inputs,
            "derivative_ulp": self.derivative_ulp,
            "derivative_worst_input": self.derivative_worst_input,
        }

    def lines(self) -> list[str]:
        """What a header says of it."""
        found = [f"code: at most {self.ulp:.4g} ulp in {self.inputs} inputs, the most at x = {self.worst_input}"]
        if self.derivative_ulp is not None:
            found.append(
                f"derivative: at most {self.derivative_ulp:.4g} ulp, the most at {self.derivative_worst_input}"
            )
        return found


@dataclass(frozen=True)
class Certificate:
    """What is known of a formula: the target that it stands in for, and the enclosed distance to it.

    Without a target the formula is the function itself. `error` is a pair of decimals rounded outward, in real
    arithmetic; `measured` is about the code, and so are `notes`. `command` makes the code again.
    """

    formula: str
    command: str
    target: str | None = None
    norm: str | None = None
    domain: tuple[str, str] | None = None
    error: tuple[str, str] | None = None
    measured: Measured | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict:
        return {
            "formula": self.formula,
            "target": self.target,
            "norm": self.norm,
            "domain": self.domain and list(self.domain),
            "error": self.error and list(self.error),
            "measured": self.measured and self.measured.to_dict(),
            "notes": list(self.notes),
            "command": self.command,
        }

    def lines(self) -> list[str]:
        """What a header says, one fact a line."""
        found = [f"formula: {_cropped(self.formula)}"]
        if self.target is not None:
            where = "" if self.domain is None else _on(*self.domain)
            found.append(f"stands in for: {_cropped(self.target)}{where}")
        if self.error is not None:
            norm = "" if self.norm is None else f", {self.norm} norm"
            found.append(f"error of the formula, certified: in [{self.error[0]}, {self.error[1]}]{norm}")
        found += self.measured.lines() if self.measured else []
        found += [f"note: {note}" for note in self.notes]
        return [*found, f"made by: {_cropped(self.command)}"]


@dataclass(frozen=True)
class Kernel:
    """A function to be written out: which, under which name, in which type, with its derivative or not.

    The variants are `accurate` (the last bit counts) and `fast` (a few ulp, for languages that know one).
    """

    activation: Activation
    name: str
    dtype: str
    derivative: bool
    variant: str
    certificate: Certificate

    def __post_init__(self):
        check_name(self.name)
        if self.dtype not in DTYPES:
            raise BadInput(f"expected a dtype out of {', '.join(DTYPES)}, got {excerpt(str(self.dtype))}")
        if self.variant not in VARIANTS:
            raise BadInput(f"expected a variant out of {', '.join(VARIANTS)}, got {excerpt(str(self.variant))}")

    @property
    def expression(self) -> sp.Expr:
        """The function, in `parsing.X`."""
        return self.activation.expression

    def header(self) -> list[str]:
        """The lines that every language puts into its comment; printable ASCII without `*/`, quotes or backslashes."""
        title = f"{self.name}, {self.dtype}, {self.variant}"
        return [plain(line) for line in [title, *self.certificate.lines()]]


def check_name(name: str) -> None:
    """Raises BadInput for what is no identifier, or a word of its own, in one of the languages."""
    if not isinstance(name, str) or not re.fullmatch(rf"[A-Za-z]\w{{0,{LONGEST_NAME - 1}}}", name, re.ASCII):
        raise BadInput(f"expected a name of at most {LONGEST_NAME} letters, digits and _, got {excerpt(str(name))}")
    if "__" in name or name in _WORDS:
        raise BadInput(f"expected a name that no language keeps for itself, got {name!r}")


def name_of(activation: Activation) -> str:
    """The name of a catalogued function, made an identifier: hard_gate(a=5, b=2.8) is hard_gate_a5_b2p8.

    What has no name but its formula is called `activation`.
    """
    text = re.sub(r"(?<=\d)\.(?=\d)", "p", activation.name).replace("-", "m").replace("=", "")
    text = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    spelled_out = activation.name == activation.formula and not activation.name.isidentifier()
    try:
        check_name(text)
    except BadInput:
        return "activation"
    return "activation" if spelled_out else text


def _on(low: str, high: str) -> str:
    return " on R" if (low, high) == ("-inf", "inf") else f" on [{low}, {high}]"


def _cropped(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def plain(line: str) -> str:
    """No character that could end a comment or a string; a product is kept apart from a quotient after it."""
    kept = "".join(c if c.isprintable() and c.isascii() else "?" for c in line)
    return kept.replace("\\", "/").replace("*/", "* /").replace("/*", "/ *").replace('"', "'")
