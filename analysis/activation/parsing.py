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

Bounds: 4000 characters, 60 levels of nesting, numbers of 60 digits with exponents up to 400, exponents up to 100, and
those of `analysis.activation.limits` on what sympy would make of it. LaTeX is not read: sympy's two readers of it need
another parser generator each, put no bound on numbers, and guess where a formula is ambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import sympy as sp

from analysis.activation import limits
from analysis.activation.errors import BadInput

X = sp.Symbol("x", real=True)

MAX_LENGTH = 20_000  # a design of 200 pieces
MAX_DEPTH = 60
MAX_DIGITS = 200  # a design writes its coefficients exactly
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


class Requirement(NamedTuple):
    """What must hold at x for a text to have a value there: the expression is nonzero, positive or nonnegative."""

    expression: sp.Expr
    kind: str

    def only_where(self, condition: sp.Basic, earlier: list[sp.Basic]) -> Requirement:
        """The same, where `condition` holds and none of the earlier ones does; met elsewhere."""
        outside = [(sp.S.One, c) for c in earlier]
        return Requirement(sp.Piecewise(*outside, (self.expression, condition), (sp.S.One, True)), self.kind)


@dataclass
class Reading:
    """What sympy forgets when it builds: it cancels x/x, and differentiates where there is no derivative."""

    requirements: list[Requirement] = field(default_factory=list)
    differentiated: list[sp.Expr] = field(default_factory=list)

    def require(self, expression: sp.Expr, kind: str) -> None:
        """Notes a requirement that is not met by every x and all free constants."""
        if not getattr(expression, f"is_{kind}"):
            self.requirements.append(Requirement(expression, kind))

    def only_where(self, condition: sp.Basic, earlier: list[sp.Basic], since: int) -> None:
        """The requirements from index `since` on matter in one piece only."""
        inside = [r.only_where(condition, earlier) for r in self.requirements[since:]]
        self.requirements[since:] = inside


@dataclass(frozen=True)
class Vocabulary:
    """What names mean: `name(text)` and `call(text, positional, keyword)` answer with an expression or None."""

    name: Callable[[str], sp.Expr | None]
    call: Callable[[str, list, dict], sp.Expr | None]
    hint: Callable[[str], str]
    """What to say after an unknown name, such as "; did you mean mish?"."""


def parse(text: str, vocabulary: Vocabulary, reading: Reading | None = None) -> sp.Expr:
    """The expression that `text` spells; BadInput with the column where the grammar or a bound is broken.

    `reading` takes down where the text has a value, and what it differentiates.
    """
    if len(text) > MAX_LENGTH:
        raise BadInput(f"expected an expression of at most {MAX_LENGTH} characters, got {len(text)}")
    parser = _Parser(text, vocabulary, Reading() if reading is None else reading)
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
    for part in filter(None, (p.strip() for p in split_outside_brackets(text))):
        name, sign, value = part.partition("=")
        if not sign or not name.strip().isidentifier() or not _balanced(value):
            raise BadInput(f"expected {option} as name=expression, got {excerpt(part)}")
        if name.strip() in found:
            raise BadInput(f"expected each name once in {option}, got {excerpt(part)} after another {name.strip()}")
        found[name.strip()] = value.strip()
    return found


def split_outside_brackets(text: str) -> list[str]:
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
    def __init__(self, text: str, vocabulary: Vocabulary, reading: Reading):
        self.text, self.vocabulary, self.reading = text, vocabulary, reading
        self.tokens = _tokens(text)
        self.position = 0
        self.depth = 0
        self.named = 0  # nodes of the expressions that names stood for

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
        token = self.here
        terms = [self.product()]
        while operator := self.accept("+", "-"):
            term = self.product()
            terms.append(term if operator == "+" else -term)
        return terms[0] if len(terms) == 1 else self.measured(lambda: sp.Add(*terms), token)

    def product(self) -> sp.Expr:
        start = self.here
        factors = [self.signed()]
        while operator := self.accept("*", "/"):
            token = self.here
            factor = self.signed()
            if operator == "/":
                factor = self.reciprocal(factor, token)
            factors.append(factor)
        return factors[0] if len(factors) == 1 else self.measured(lambda: sp.Mul(*factors), start)

    def reciprocal(self, divisor: sp.Expr, token: Token) -> sp.Expr:
        if divisor.is_zero:
            raise self.error("expected a divisor other than zero", token)
        self.reading.require(divisor, "nonzero")
        return self.measured(lambda: 1 / divisor, token)

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
        if not exponent.is_Integer:
            self.reading.require(base, "nonnegative" if exponent.is_positive and exponent.is_number else "positive")
        elif exponent.is_negative:
            self.reading.require(base, "nonzero")

        def raised() -> sp.Expr:
            limits.check_power(base, exponent)
            return base**exponent

        return self.measured(raised, token)

    def measured(self, build: Callable[[], sp.Expr], token: Token) -> sp.Expr:
        """What `build` makes, if it is not too large; an error of size points at the token."""
        try:
            value = build()
            limits.nodes(value)
        except limits.TooLarge as problem:
            raise self.error(str(problem), token) from None
        return value

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
            word = token.text if len(token.text) <= 40 else token.text[:37] + "..."
            raise BadInput(f"unknown name {word!r}{hint} at column {token.column} of {excerpt(self.text)}")
        self.named += limits.nodes(value)
        if self.named > 10 * limits.MAX_NODES:
            raise self.error("expected a shorter expression once its names are spelled out", token)
        return value

    def call(self, token: Token) -> sp.Expr | None:
        if token.text == "where":
            return self.where(token)
        if token.text == "Piecewise":
            return self.printed_piecewise()
        positional, keyword = self.arguments()
        try:
            value = self.vocabulary.call(token.text, positional, keyword)
            if value is not None:
                limits.nodes(value)
            return value
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

    def where(self, token: Token) -> sp.Expr:
        condition = self.condition()
        self.expect(",")
        since = len(self.reading.requirements)
        yes = self.sum()
        self.reading.only_where(condition, [], since)
        self.expect(",")
        since = len(self.reading.requirements)
        no = self.sum()
        self.reading.only_where(sp.true, [condition], since)
        self.expect(")")
        return self.measured(lambda: sp.Piecewise((yes, condition), (no, True)), token)

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
        pieces = [self.piece([])]
        while self.accept(";"):
            pieces.append(self.piece(pieces))
        self.expect("}")
        return self.piecewise(pieces, opening)

    def piece(self, earlier: list[tuple[sp.Expr, sp.Basic]]) -> tuple[sp.Expr, sp.Basic]:
        since = len(self.reading.requirements)
        value = self.sum()
        until = len(self.reading.requirements)
        condition = self.condition() if self.accept(",") else sp.true
        if until > since:
            beyond = self.reading.requirements[until:]  # those of the condition, which matter everywhere
            del self.reading.requirements[until:]
            self.reading.only_where(condition, [c for _, c in earlier], since)
            self.reading.requirements += beyond
        return value, condition

    def printed_piecewise(self) -> sp.Expr:
        opening = self.tokens[self.position - 2]
        pieces: list[tuple[sp.Expr, sp.Basic]] = []
        while not self.accept(")"):
            if pieces:
                self.expect(",")
            self.expect("(")
            pieces.append(self.piece(pieces))
            self.expect(")")
        return self.piecewise(pieces, opening)

    def piecewise(self, pieces: list, opening: Token) -> sp.Expr:
        conditions = [condition for _, condition in pieces]
        if not pieces or not _cover_the_line(conditions):
            raise self.error("expected pieces whose conditions cover every real x", opening)
        return self.measured(lambda: sp.Piecewise(*pieces[:-1], (pieces[-1][0], True)), opening)


def _cover_the_line(conditions: list[sp.Basic]) -> bool:
    if sp.true in conditions:
        return True
    if any(c.free_symbols != {X} for c in conditions if c is not sp.false):
        # With free constants in the conditions one must be the complement of the first, as in {A, x < t; B, x >= t}.
        return sp.Or(*conditions) == sp.true or sp.Not(conditions[0]) in conditions[1:]
    if not all(_is_simple(c) for c in conditions):
        return False
    return sp.Union(*(c.as_set() for c in conditions)) == sp.S.Reals


def _is_simple(condition: sp.Basic) -> bool:
    """Whether sympy finds the solutions at once: a linear or quadratic inequality with rational coefficients."""
    if condition is sp.false:
        return True
    difference = condition.lhs - condition.rhs
    if not difference.is_polynomial(X):
        return False
    polynomial = sp.Poly(difference, X)
    return polynomial.degree() <= 2 and all(c.is_Rational for c in polynomial.all_coeffs())


def _tokens(text: str) -> list[Token]:
    tokens, position = [], 0
    while position < len(text):
        if text[position].isspace() and text[position] in " \t\n":
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None and text[position] == "\\":
            raise BadInput(
                f"LaTeX is not read, got '\\\\' at column {position + 1} of {excerpt(text)}; write \\frac{{a}}{{b}} as "
                "(a)/(b), e^x as exp(x), \\omega as a name that --where defines"
            )
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


def excerpt(text: str) -> str:
    """The text as an error shows it: quoted, in one line, at most 80 characters."""
    shown = text if len(text) <= 80 else text[:77] + "..."
    return ascii(shown) if not shown.isprintable() else repr(shown)
