"""The records: what the catalogue holds (plain data) and what everything else works on (checked, with expressions).

This module does not import sympy, so that listing the catalogue stays instant; the expressions in the records are
sympy's all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from analysis.activation.errors import BadInput

if TYPE_CHECKING:
    import sympy as sp

EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Constant:
    """A named constant of a family; `box` is where fits start their search, not a bound on the answer."""

    name: str
    box: tuple[float, float]
    assumption: str = "positive"  # as sympy names it
    default: str | None = None  # exact text in our grammar

    def __post_init__(self):
        if not self.name.isidentifier() or self.name == "x":
            raise BadInput(f"expected a constant's name other than x, got {self.name!r}")
        if self.assumption not in ("positive", "nonnegative", "real"):
            raise BadInput(f"expected positive, nonnegative or real for {self.name}, got {self.assumption!r}")
        if not self.box[0] < self.box[1]:
            raise BadInput(f"expected a box LO < HI for {self.name}, got {self.box}")


@dataclass(frozen=True)
class Member:
    """A published choice of a family's constants; without a name of its own it is called by its constants."""

    constants: Mapping[str, str]
    sources: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class Entry:
    """A row of the catalogue: a plain function, or a family where it has constants; formulas are in our grammar."""

    name: str
    formula: str
    sources: tuple[str, ...]
    constants: tuple[Constant, ...] = ()
    members: tuple[Member, ...] = ()

    def __post_init__(self):
        if not self.name.isidentifier():
            raise BadInput(f"expected an identifier as name, got {self.name!r}")
        if not self.sources or not all(self.sources):
            raise BadInput(f"expected a citation for {self.name}, got none")
        names = {c.name for c in self.constants}
        for member in self.members:
            if set(member.constants) != names:
                raise BadInput(f"expected constants {sorted(names)} for {self.name}, got {sorted(member.constants)}")
            if not member.sources:
                raise BadInput(f"expected a citation for {member.name or self.name}, got none")

    @property
    def is_family(self) -> bool:
        return bool(self.constants)


@dataclass(frozen=True)
class Activation:
    """A real function of x: one sympy expression without free constants.

    `formula` is the expression in our grammar; `constants` the exact values that were put into a family's expression.
    """

    name: str
    expression: sp.Expr
    formula: str
    constants: Mapping[str, sp.Expr] = field(default_factory=dict, hash=False)
    family: str | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self):
        free = sorted(s.name for s in self.expression.free_symbols if s.name != "x")
        if free:
            raise BadInput(f"{self.name} has free constants {', '.join(free)}; give each a value")
        if any(not s.is_real for s in self.expression.free_symbols) or self.expression.is_real is False:
            raise BadInput(f"expected a function of real x with real values, got {self.formula}")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Family:
    """Functions of x with free constants: one sympy expression whose free symbols are x and `constants`.

    `members` are its published choices, each an Activation.
    """

    name: str
    expression: sp.Expr
    formula: str
    constants: tuple[Constant, ...]
    members: tuple[Activation, ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self):
        free = {s.name for s in self.expression.free_symbols} - {"x"}
        declared = {c.name for c in self.constants}
        if free != declared:
            raise BadInput(f"expected the constants {sorted(declared)} in {self.formula}, got {sorted(free)}")

    def __str__(self) -> str:
        return self.name

    def symbol(self, name: str) -> sp.Symbol:
        """The free symbol of the constant called `name`."""
        return next(s for s in self.expression.free_symbols if s.name == name)
