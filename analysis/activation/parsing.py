"""Text to expression, by a small grammar of our own; nothing a user types is ever evaluated as code.

    sum        := product (("+" | "-") product)*
    product    := signed (("*" | "/") signed)*
    signed     := ("+" | "-") signed | power
    power      := atom (("**" | "^") signed)?
    atom       := number | name | name "(" arguments ")" | "(" sum ")" | "{" piece (";" piece)* "}"
    arguments  := (sum | name "=" sum) ("," ...)*
    piece      := sum ("," condition)?                    the last piece may stand without a condition
    condition  := sum ("<" | "<=" | ">" | ">=") sum | "True"

Numbers are exact: 1.702 is 851/500. `where(c, A, B)` is A where c holds, else B; `Piecewise((A, c), (B, True))`, as
sympy prints it, is read too. What a name or a call means is for the caller's `Vocabulary`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import sympy as sp

from analysis.activation.errors import BadInput

X = sp.Symbol("x", real=True)

MAX_LENGTH = 4000
MAX_DEPTH = 60
MAX_DIGITS = 60
MAX_EXPONENT = 400  # of a literal such as 1e-300
MAX_POWER = 100  # of a numeric exponent

_TOKEN = re.compile(
    r"(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<operator>\*\*|<=|>=|[-+*/^(){},;<>=])",
    re.ASCII,
)
_RELATIONS = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge}


class Token(NamedTuple):
    kind: str
    text: str
    column: int


@dataclass(frozen=True)
class Vocabulary:
    """What names mean: `name(text)` and `call(text, positional, keyword)` answer with an expression or None."""

    name: Callable[[str], sp.Expr | None]
    call: Callable[[str, list, dict], sp.Expr | None]
    hint: Callable[[str], str]
    """What to say after an unknown name, such as "; did you mean mish?"."""


def parse(text: str, vocabulary: Vocabulary) -> sp.Expr:
    """The expression that `text` spells; BadInput with the column where the grammar or a bound is broken."""
    if len(text) > MAX_LENGTH:
        raise BadInput(f"expected an expression of at most {MAX_LENGTH} characters, got {len(text)}")
    parser = _Parser(text, vocabulary)
    expression = parser.sum()
    parser.expect_end()
    if _is_off_the_line(expression):
        raise BadInput(f"expected an expression with real values, got {excerpt(text)}")
    return expression


def parse_call(text: str) -> tuple[str, dict[str, str]] | None:
    """`name(k=text, ...)` taken apart without reading the values, or None where the text is no such call."""
    match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*", text, re.ASCII | re.DOTALL)
    if match is None:
        return None
    try:
        return match[1], definitions(match[2], "constants")
    except BadInput:
        return None


def definitions(text: str, option: str) -> dict[str, str]:
    """`w=A, d=B` as an ordered mapping; a comma inside brackets does not separate."""
    found: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in _split_outside_brackets(text))):
        name, sign, value = part.partition("=")
        if not sign or not name.strip().isidentifier() or not _balanced(value):
            raise BadInput(f"expected {option} as name=expression, got {excerpt(part)}")
        if name.strip() in found:
            raise BadInput(f"expected each name once in {option}, got {excerpt(part)} after another {name.strip()}")
        found[name.strip()] = value.strip()
    return found


def _split_outside_brackets(text: str) -> list[str]:
    parts, depth = [""], 0
    for character in text:
        depth += (character in "({") - (character in ")}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character in "({") - (character in ")}")
        if depth < 0:
            return False
    return depth == 0 and bool(text.strip())


def number(text: str) -> sp.Rational:
    """An exact rational from decimal text."""
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > MAX_DIGITS or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise BadInput(f"expected a number of at most {MAX_DIGITS} digits, got {excerpt(text)}")
    return sp.Rational(text)


class _Parser:
    def __init__(self, text: str, vocabulary: Vocabulary):
        self.text, self.vocabulary = text, vocabulary
        self.tokens = _tokens(text)
        self.position = 0
        self.depth = 0

    # the stream of tokens

    @property
    def here(self) -> Token:
        return self.tokens[self.position]

    def accept(self, *operators: str) -> str | None:
        token = self.here
        if token.kind != "operator" or token.text not in operators:
            return None
        self.position += 1
        return token.text

    def expect(self, operator: str) -> None:
        if not self.accept(operator):
            raise self.error(f"expected {operator!r}")

    def expect_end(self) -> None:
        if self.here.kind != "end":
            raise self.error("expected an operator or the end")

    def error(self, message: str, token: Token | None = None) -> BadInput:
        token = token or self.here
        came = "the end" if token.kind == "end" else repr(token.text)
        return BadInput(f"{message}, got {came} at column {token.column} of {excerpt(self.text)}")

    # the grammar, a method a rule

    def sum(self) -> sp.Expr:
        value = self.product()
        while operator := self.accept("+", "-"):
            term = self.product()
            value = value + term if operator == "+" else value - term
        return value

    def product(self) -> sp.Expr:
        value = self.signed()
        while operator := self.accept("*", "/"):
            token = self.here
            factor = self.signed()
            if operator == "/" and factor.is_zero:
                raise self.error("expected a divisor other than zero", token)
            value = value * factor if operator == "*" else value / factor
        return value

    def signed(self) -> sp.Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"expected at most {MAX_DEPTH} levels of nesting")
        token = self.here
        sign = self.accept("+", "-")
        value = self.signed() if sign else self.power()
        if _is_off_the_line(value):
            raise self.error("expected real values", token)
        self.depth -= 1
        return -value if sign == "-" else value

    def power(self) -> sp.Expr:
        base = self.atom()
        if not self.accept("**", "^"):
            return base
        token = self.here
        exponent = self.signed()
        if exponent.is_number and abs(exponent) > MAX_POWER:
            raise self.error(f"expected an exponent of at most {MAX_POWER}", token)
        if not exponent.is_number and base.is_number and abs(base) > 1000:
            raise self.error("expected a base of at most 1000 under a variable exponent", token)
        if not exponent.is_number and base.is_nonpositive:
            raise self.error("expected a positive base under a variable exponent", token)
        if base.is_number and exponent.is_number and _digits(base) * abs(exponent) > 10 * MAX_EXPONENT:
            raise self.error("expected a smaller power", token)
        return base**exponent

    def atom(self) -> sp.Expr:
        token = self.here
        if token.kind == "number":
            self.position += 1
            return number(token.text)
        if token.kind == "name":
            return self.name()
        if self.accept("("):
            value = self.sum()
            self.expect(")")
            return value
        if self.accept("{"):
            return self.braces()
        raise self.error("expected a number, a name or '('")

    def name(self) -> sp.Expr:
        token = self.here
        self.position += 1
        if self.accept("("):
            value = self.call(token)
        else:
            value = self.vocabulary.name(token.text)
        if value is None:
            hint = self.vocabulary.hint(token.text)
            raise BadInput(f"unknown name {token.text!r}{hint} at column {token.column} of {excerpt(self.text)}")
        return value

    def call(self, token: Token) -> sp.Expr | None:
        if token.text == "where":
            pieces = [self.condition()]
            self.expect(",")
            pieces.append(self.sum())
            self.expect(",")
            pieces.append(self.sum())
            self.expect(")")
            return sp.Piecewise((pieces[1], pieces[0]), (pieces[2], True))
        if token.text == "Piecewise":
            return self.printed_piecewise()
        positional, keyword = self.arguments()
        try:
            return self.vocabulary.call(token.text, positional, keyword)
        except BadInput as problem:
            raise BadInput(f"{problem} (column {token.column} of {excerpt(self.text)})") from None
        except (TypeError, ValueError):  # sympy's, for max or min of numbers whose order it cannot tell
            raise self.error("expected arguments that can be compared", token) from None

    def arguments(self) -> tuple[list, dict]:
        positional: list[sp.Expr] = []
        keyword: dict[str, sp.Expr] = {}
        while not self.accept(")"):
            if positional or keyword:
                self.expect(",")
            following = self.tokens[min(self.position + 1, len(self.tokens) - 1)]
            if self.here.kind == "name" and following.text == "=":
                token = self.here
                self.position += 2
                if token.text in keyword:
                    raise self.error("expected each constant once", token)
                keyword[token.text] = self.sum()
            elif keyword:
                raise self.error("expected name=value after the first name=value")
            else:
                positional.append(self.sum())
        return positional, keyword

    # pieces

    def condition(self) -> sp.Basic:
        if self.here.kind == "name" and self.here.text == "True":
            self.position += 1
            return sp.true
        left = self.sum()
        relation = self.accept(*_RELATIONS)
        if relation is None:
            raise self.error("expected one of < <= > >=")
        return _RELATIONS[relation](left, self.sum())

    def braces(self) -> sp.Expr:
        opening = self.tokens[self.position - 1]
        pieces = [self.piece()]
        while self.accept(";"):
            pieces.append(self.piece())
        self.expect("}")
        return self.piecewise(pieces, opening)

    def piece(self) -> tuple[sp.Expr, sp.Basic]:
        value = self.sum()
        return value, self.condition() if self.accept(",") else sp.true

    def printed_piecewise(self) -> sp.Expr:
        opening = self.tokens[self.position - 2]
        pieces: list[tuple[sp.Expr, sp.Basic]] = []
        while not self.accept(")"):
            if pieces:
                self.expect(",")
            self.expect("(")
            pieces.append(self.piece())
            self.expect(")")
        return self.piecewise(pieces, opening)

    def piecewise(self, pieces: list, opening: Token) -> sp.Expr:
        conditions = [condition for _, condition in pieces]
        if not pieces or not _cover_the_line(conditions):
            raise self.error("expected pieces whose conditions cover every real x", opening)
        return sp.Piecewise(*pieces[:-1], (pieces[-1][0], True))


def _cover_the_line(conditions: list[sp.Basic]) -> bool:
    if sp.true in conditions:
        return True
    if any(c.free_symbols != {X} for c in conditions if c is not sp.false):
        # With free constants in the conditions one must be the complement of the first, as in {A, x < t; B, x >= t}.
        return sp.Or(*conditions) == sp.true or sp.Not(conditions[0]) in conditions[1:]
    try:
        return sp.Union(*(c.as_set() for c in conditions)) == sp.S.Reals
    except (NotImplementedError, ValueError):
        return False


def _tokens(text: str) -> list[Token]:
    tokens, position = [], 0
    while position < len(text):
        if text[position].isspace() and text[position] in " \t\n":
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise BadInput(
                f"expected letters, digits or + - * / ^ ( ) {{ }} , ; < > =, "
                f"got {text[position]!a} at column {position + 1} of {excerpt(text)}"
            )
        tokens.append(Token(str(match.lastgroup), match.group(), position + 1))
        position = match.end()
    return [*tokens, Token("end", "", len(text) + 1)]


def _is_off_the_line(value: sp.Expr) -> bool:
    """Whether the value is certain not to be a real number, whatever x is; such a number has no order."""
    if value.is_real is None and value.is_number:
        value = value.evalf()
    return value.is_real is False or value.has(sp.zoo, sp.nan, sp.oo, -sp.oo)


def _digits(value: sp.Expr) -> int:
    value = sp.Rational(value) if value.is_Rational else sp.S.One
    return len(str(value.p)) + len(str(value.q))


def excerpt(text: str) -> str:
    """The text as an error shows it: quoted, in one line, at most 80 characters."""
    shown = text if len(text) <= 80 else text[:77] + "..."
    return ascii(shown) if not shown.isprintable() else repr(shown)
