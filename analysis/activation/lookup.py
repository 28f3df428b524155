"""From a user's text to a record: names, names with constants, and expressions in which names may stand."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from functools import cache

import sympy as sp

from analysis.activation import functions, limits
from analysis.activation.catalogue import ENTRIES, MEMBERS
from analysis.activation.errors import BadInput
from analysis.activation.parsing import Reading, Vocabulary, X, excerpt, parse, parse_call
from analysis.activation.record import Activation, Constant, Entry, Family, Member

FREE_BOX = (0.05, 20.0)  # where a fit starts for a constant that a user's expression leaves free

NUMBERS = {"pi": sp.pi, "E": sp.E}

# name -> (head, fewest arguments, most arguments)
WORDS: dict[str, tuple[Callable, int, int]] = {
    "exp": (sp.exp, 1, 1),
    "log": (sp.log, 1, 1),
    "sqrt": (sp.sqrt, 1, 1),
    "abs": (sp.Abs, 1, 1),
    "tanh": (sp.tanh, 1, 1),
    "erf": (sp.erf, 1, 1),
    "atan": (sp.atan, 1, 1),
    "sin": (sp.sin, 1, 1),
    "cos": (sp.cos, 1, 1),
    "max": (sp.Max, 1, 8),
    "min": (sp.Min, 1, 8),
    "sigmoid": (functions.sigmoid, 1, 1),
    "softplus": (functions.softplus, 1, 1),
    "Phi": (functions.Phi, 1, 1),
    "squareplus": (functions.squareplus, 2, 2),
    "relu": (functions.relu, 1, 1),
    "clip": (functions.clip, 3, 3),
    "step": (functions.step, 1, 1),
    "lerp": (lambda f, g, t: (1 - t) * f + t * g, 3, 3),
    "sign": (sp.sign, 1, 1),
    "diff": (lambda f: functions.derivative(f, X), 1, 1),
}
REQUIRED = {"log": "positive", "sqrt": "nonnegative"}  # of the argument
WORDS |= {"Abs": WORDS["abs"], "Max": WORDS["max"], "Min": WORDS["min"]}  # as sympy prints them


def get(text: str) -> Activation | Family:
    """The record that `text` names: `mish`, `hard_gate(a=5, b=3)`, `hard_gate` (a Family), or an expression in x.

    Raises BadInput with the nearest valid names for an unknown one.
    """
    text = text.strip()
    if text in ENTRIES and ENTRIES[text].is_family:
        return _family(text)
    if text in ENTRIES or text in MEMBERS:
        return _plain(text)
    if text.isidentifier() and text not in ("x", *NUMBERS):
        raise BadInput(f"unknown activation {excerpt(text)}{_hint(text)} (actapprox list shows all)")
    called = parse_call(text)
    if called is not None and called[0] in ENTRIES and ENTRIES[called[0]].is_family:
        return _with_constants(ENTRIES[called[0]], called[1])
    expression = _expression(text, {})
    return Activation(_one_line(text), expression, _one_line(text))


def function(text: str | Activation) -> Activation:
    """An Activation where one is needed: a family stands for its default constants, if the field has such."""
    record = text if isinstance(text, Activation) else get(text)
    if isinstance(record, Activation):
        return record
    default = next((m for m in record.members if m.name == record.name), None)
    if default is None:
        names = ", ".join(m.name for m in record.members)
        wanted = ", ".join(f"{c.name}=..." for c in record.constants)
        raise BadInput(f"{record.name} is a family; expected {record.name}({wanted}) or one of {names}")
    return default


def family(text: str | Family) -> Family:
    """A Family where one is needed: a catalogued one, with some constants given or not, or an expression with names."""
    if isinstance(text, Family):
        return text
    text = text.strip()
    if text in ENTRIES and ENTRIES[text].is_family:
        return _family(text)
    if text.isidentifier() and text not in MEMBERS and text not in ENTRIES:
        families = ", ".join(e.name for e in ENTRIES.values() if e.is_family)
        raise BadInput(f"unknown family {excerpt(text)}{_hint(text)}; expected one of {families}, or an expression")
    expression = _expression(text, {}, unknown="positive")
    free = sorted(s.name for s in expression.free_symbols - {X})
    if not free:
        raise BadInput(f"expected a family with at least one free constant, got {excerpt(text)}")
    call = parse_call(text)
    declared = {c.name: c for c in ENTRIES[call[0]].constants} if call and call[0] in ENTRIES else {}
    constants = tuple(declared.get(name, Constant(name, FREE_BOX)) for name in free)
    return Family(_one_line(text), expression, _one_line(text), constants)


def expression(
    text: str,
    names: dict[str, sp.Expr] | None = None,
    *,
    unknown: str | None = None,
    reading: Reading | None = None,
) -> sp.Expr:
    """The expression that `text` spells, with `names` known beside the vocabulary.

    `unknown` is the assumption (real, positive, ...) of a name that is not known, which then stands for a free constant
    and is added to `names`; with None such a name is BadInput. `reading` takes down where the text has a value.
    """
    return _expression(text, {} if names is None else names, unknown=unknown, reading=reading)


def called(name: str, values: Mapping[str, sp.Expr]) -> str:
    """`name(a=5, b=2.8)`: how a member of a family is written, by us and by users."""
    return f"{name}({', '.join(f'{k}={number_text(v)}' for k, v in values.items())})"


def filled(formula: str, values: Mapping[str, sp.Expr]) -> str:
    """The text of a family's formula with each constant replaced by its value."""
    return re.sub(r"[A-Za-z_]\w*", lambda m: _factor_text(values[m[0]]) if m[0] in values else m[0], formula)


def number_text(value: sp.Expr) -> str:
    """An exact number in our grammar: as a decimal where it has a finite one, else as sympy writes it."""
    if value.is_Rational and not value.is_Integer and sp.primefactors(value.q) in ([2], [5], [2, 5]):
        places = max(sp.multiplicity(2, value.q), sp.multiplicity(5, value.q))
        digits = str(abs(value) * 10**places).rjust(places + 1, "0")
        return f"{'-' if value.is_negative else ''}{digits[:-places]}.{digits[-places:]}"
    return str(value)


def _factor_text(value: sp.Expr) -> str:
    text = number_text(value)
    return text if re.fullmatch(r"[\d.]+", text) else f"({text})"


# building


def _expression(text: str, names: dict, *, unknown: str | None = None, reading: Reading | None = None) -> sp.Expr:
    reading = Reading() if reading is None else reading

    def name(word: str) -> sp.Expr | None:
        if word == "x":
            return X
        if word in names:
            return names[word]
        if word in NUMBERS:
            return NUMBERS[word]
        if word in MEMBERS or word in ENTRIES:
            return function(word).expression
        if unknown is not None and word not in WORDS:
            names[word] = sp.Symbol(word, **{unknown: True})
            return names[word]
        return None

    def call(word: str, positional: list, keyword: dict) -> sp.Expr | None:
        if word in REQUIRED:
            for argument in positional:
                reading.require(argument, REQUIRED[word])
        if word == "diff":
            reading.differentiated += positional
        return _call(word, positional, keyword)

    return functions.recognise(parse(text, Vocabulary(name, call, _hint), reading))


def _call(word: str, positional: list, keyword: dict) -> sp.Expr | None:
    if word in WORDS and not keyword:
        head, fewest, most = WORDS[word]
        if fewest <= len(positional) <= most:
            return _apply(word, head, positional)
        if word not in ENTRIES or len(positional) > 1:
            expected = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise BadInput(f"expected {expected} arguments of {word}, got {len(positional)}")
    if word in MEMBERS or word in ENTRIES:
        if len(positional) > 1:
            raise BadInput(f"expected one argument of {word}, got {len(positional)}")
        body = _with_values(ENTRIES[word], keyword) if word in ENTRIES and keyword else function(word).expression
        if keyword and word in MEMBERS:
            raise BadInput(f"{word} has no free constants, got {', '.join(keyword)}")
        if not positional:
            return body
        limits.check_substitution(body, X, positional[0])
        return body.subs(X, positional[0])
    return None


def _apply(word: str, head: Callable, arguments: list) -> sp.Expr:
    if word == "squareplus" and arguments[1].is_negative:
        raise BadInput(f"expected squareplus(z, b) with b >= 0, got {arguments[1]}")
    if word == "clip" and (arguments[1].has(X) or arguments[2].has(X)):
        raise BadInput("expected limits of clip without x (max and min take any)")
    if word == "clip" and (arguments[1] - arguments[2]).is_positive:
        raise BadInput(f"expected clip(z, lo, hi) with lo <= hi, got {arguments[1]} and {arguments[2]}")
    if word == "diff":
        limits.check_derivative(arguments[0])
    if word == "sqrt":
        limits.check_power(arguments[0], sp.S.Half)
    limits.check_function(head, arguments)
    value = head(*arguments)
    if value.has(sp.zoo, sp.nan):
        raise BadInput(f"expected an argument in the domain of {word}, got {excerpt(', '.join(map(str, arguments)))}")
    return value


def _free_expression(entry: Entry) -> sp.Expr:
    if entry.name == "lerp":
        raise BadInput("lerp combines two activations; expected for instance lerp(mish, relu, 1/3)")
    return _expression(entry.formula, {c.name: sp.Symbol(c.name, **{c.assumption: True}) for c in entry.constants})


@cache
def _plain(name: str) -> Activation:
    """A named member of a family, or a function without constants; like families it is built once a process."""
    if name in MEMBERS:
        return _member(*MEMBERS[name])
    entry = ENTRIES[name]
    return Activation(name, _expression(entry.formula, {}), entry.formula, sources=entry.sources)


@cache
def _family(name: str) -> Family:
    entry = ENTRIES[name]
    body = _free_expression(entry)
    members = [_member(entry, member) for member in entry.members]
    defaults = {c.name: c.default for c in entry.constants if c.default is not None}
    if len(defaults) == len(entry.constants):
        members.insert(0, _member(entry, Member(defaults, entry.sources, entry.name)))
    return Family(entry.name, body, entry.formula, entry.constants, tuple(members), entry.sources)


def _member(entry: Entry, member: Member) -> Activation:
    values = {name: _expression(text, {}) for name, text in member.constants.items()}
    return _activation(entry, values, member.name, member.sources)


def _with_constants(entry: Entry, given: Mapping[str, str]) -> Activation:
    values = {name: _expression(text, {}) for name, text in given.items()}
    values = _complete(entry, values)
    for published in _family(entry.name).members:
        if dict(published.constants) == values:
            return published
    return _activation(entry, values, "", entry.sources)


def _with_values(entry: Entry, given: Mapping[str, sp.Expr]) -> sp.Expr:
    values = _complete(entry, given, strict=False)
    return _substituted(entry, values)


def _complete(entry: Entry, given: Mapping[str, sp.Expr], *, strict: bool = True) -> dict[str, sp.Expr]:
    """All constants of the entry, the defaults where none is given; each checked against its assumption.

    Without `strict`, constants that are not given stay free.
    """
    declared = {c.name: c for c in entry.constants}
    if unknown := sorted(set(given) - set(declared)):
        if not declared:
            raise BadInput(f"{entry.name} has no free constants, got {', '.join(unknown)}")
        raise BadInput(f"expected constants {', '.join(declared)} of {entry.name}, got {', '.join(unknown)}")
    values = {}
    for name, constant in declared.items():
        if name in given:
            values[name] = given[name]
        elif constant.default is not None:
            values[name] = _expression(constant.default, {})
        elif strict:
            missing = ", ".join(sorted(set(declared) - set(given)))
            raise BadInput(f"expected all of {', '.join(declared)} of {entry.name}, got no {missing}")
        else:
            values[name] = sp.Symbol(name, **{constant.assumption: True})
        if values[name].has(X) or getattr(values[name], f"is_{constant.assumption}") is False:
            raise BadInput(f"expected {name} of {entry.name} to be a {constant.assumption} number, got {values[name]}")
    return values


def _activation(entry: Entry, values: Mapping[str, sp.Expr], name: str, sources: tuple[str, ...]) -> Activation:
    body = _substituted(entry, values)
    formula = str(body) if {sp.S.Zero, sp.S.One} & set(values.values()) else filled(entry.formula, values)
    return Activation(name or called(entry.name, values), body, formula, dict(values), entry.name, sources)


def _substituted(entry: Entry, values: Mapping[str, sp.Expr]) -> sp.Expr:
    return functions.recognise(_expression(entry.formula, dict(values)))


def _hint(word: str) -> str:
    if word in WORDS:
        return f"; {word} is a function and needs its arguments"
    known = [*ENTRIES, *MEMBERS, *WORDS]
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
