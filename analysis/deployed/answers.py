"""What is exported, as it comes: a name, an expression, a record of ours or its JSON, with what is certified of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.activation.parsing import MAX_LENGTH, X, excerpt
from analysis.activation.record import Activation
from analysis.optimal.shapes.quantised import Int8Table

INT8 = "table:int8"
Facts = dict[str, Any]  # of a certificate


def table_of(function: Any) -> Mapping[str, Any] | None:
    """The JSON of a table from int8 to int8, if that is what it is."""
    answer = function.to_dict() if isinstance(function, Int8Table) else function
    return answer if isinstance(answer, Mapping) and answer.get("shape") == INT8 else None


def known(function: Any) -> tuple[Activation, Facts]:
    """The activation, and what an answer of ours says about it."""
    if isinstance(function, str | Activation):
        return lookup.function(function), {}
    if isinstance(function, Mapping):
        return _stored(function)
    found = getattr(function, "activation", None)
    if found is None:
        raise BadInput(f"expected a function, a fit or a design, got {excerpt(repr(function))}")
    return _stored(function.to_dict(), found() if callable(found) else found)


def _stored(answer: Mapping[str, Any], activation: Activation | None = None) -> tuple[Activation, Facts]:
    """From the JSON of a fit or a design; a quotient of polynomials is held to the domain that it was made for."""
    formula = answer.get("formula")
    if not isinstance(formula, str):
        raise BadInput("expected the result of a fit or a design, got one without a formula")
    read = activation or _read(formula)
    if "error" not in answer or "target" not in answer:
        return read, {}
    shape = answer.get("shape") or answer.get("family")
    facts = facts_of(answer, answer.get("norm"))
    low, high = (sp.Rational(end) if _is_finite(end) else None for end in facts["domain"] or ("-inf", "inf"))
    named = Activation(f"{shape} for {answer['target']}", read.expression, formula)
    if low is None or high is None:
        return named, facts
    if not str(shape).startswith("rational"):
        return named, facts | {"notes": ("outside of the domain the formula goes on as it stands, without a bound",)}
    ends = [read.expression.subs(X, end) for end in (low, high)]
    held = sp.Piecewise((ends[0], X < low), (read.expression, X <= high), (ends[1], True))
    notes = ("outside of the domain the value is that at its nearest end, the derivative zero",)
    return Activation(named.name, held, formula), facts | {"notes": notes}


def _is_finite(end: str) -> bool:
    try:
        return math.isfinite(float(end))
    except ValueError:
        return False


def _read(formula: str) -> Activation:
    """The function of a formula; the many pieces of a design one by one, as the grammar's bounds are for users."""
    if len(formula) <= MAX_LENGTH or not re.fullmatch(r"\{[^{}]*\}", formula):
        return lookup.function(formula)
    *inner, last = formula[1:-1].split(";")
    pieces = [part.rsplit(", x < ", 1) for part in inner]
    if any(len(piece) != 2 for piece in pieces):
        return lookup.function(formula)
    arms = [(_polynomial(body), _polynomial(knot)) for body, knot in pieces]
    expression = sp.Piecewise(*((body, X < knot) for body, knot in arms), (_polynomial(last), True))
    return Activation("activation", expression, formula)


def _polynomial(text: str) -> sp.Expr:
    return lookup.function(text.strip()).expression


def facts_of(answer: Mapping[str, Any], norm: Any) -> Facts:
    """What the certificate says; BadInput where the answer does not say it."""
    pairs = {key: answer.get(key) for key in ("domain", "error")}
    if any(pair is not None and not (isinstance(pair, list | tuple) and len(pair) == 2) for pair in pairs.values()):
        raise BadInput("expected the result of a fit or a design, got one whose domain or error is no pair")
    both = {key: None if pair is None else (str(pair[0]), str(pair[1])) for key, pair in pairs.items()}
    return {"target": str(answer.get("target")), "norm": norm, **both}
