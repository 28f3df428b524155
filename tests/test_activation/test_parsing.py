"""The grammar: what is meant is read exactly, what is printed is read back, and nothing a user types does harm."""

import re

import mpmath as mp
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.activation.functions import Phi, clip, elementary, relu, squareplus
from analysis.activation.parsing import X, definitions, number
from tests import oracles

x = X
HALF = sp.Rational(1, 2)


def read(text):
    return lookup.expression(text)


def refusal(reader, text):
    """What is said where the text is refused, else None."""
    try:
        reader(text)
    except BadInput as problem:
        return str(problem)
    return None


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("-x**2", -(x**2)),
        ("(-x)**2", x**2),
        ("2^3^2", 512),
        ("2**-1", HALF),
        ("x**-2", 1 / x**2),
        ("-2**2", -4),
        ("2**-x**2", 2 ** (-(x**2))),
        ("1 - 2 - 3", -4),
        ("8/4/2", 1),
        ("8/4*2", 4),
        ("2*-x", -2 * x),
        ("x - -x", 2 * x),
        ("+-+x", -x),
        ("1 + 2*x", 2 * x + 1),
        ("(1 + 2)*x", 3 * x),
        (" x\t*\n2 ", 2 * x),
        ("exp(x)**2", sp.exp(x) ** 2),
        ("abs(-x)", sp.Abs(x)),
        ("max(x, 1, 2)", sp.Max(x, 2)),
        ("min(x, 1) + relu(x)", sp.Min(x, 1) + relu(x)),
        ("E**x", sp.exp(x)),
        ("cos(pi) + x", x - 1),
        ("clip(x + 3, 0, 6)", clip(x + 3, 0, 6)),
        ("Phi(x) + squareplus(x, 4)", Phi(x) + squareplus(x, 4)),
    ],
)
def test_precedence_and_words(text, meaning):
    assert read(text) == meaning


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.702", "851/500"),
        ("0.044715", "8943/200000"),
        (".5", "1/2"),
        ("5.", "5"),
        ("1e-3", "1/1000"),
        ("2.5E+2", "250"),
        ("0.1", "1/10"),
        ("00.10", "1/10"),
        ("1e-400", sp.Rational(1, 10**400)),
        ("9" * 60, sp.Integer("9" * 60)),
    ],
)
def test_decimals_are_exact(text, value):
    assert read(text) == number(text) == sp.Rational(value)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("{-x, x < 0; x}", [(-x, x < 0), (x, True)]),
        ("{-x, x < 0; x, x >= 0}", [(-x, x < 0), (x, True)]),
        ("{0, x <= -1; x, x < 1; 1, x >= 1}", [(0, x <= -1), (x, x < 1), (1, True)]),
        ("where(x > 2, 1, x)", [(1, x > 2), (x, True)]),
        ("Piecewise((-x, x < 0), (x, True))", [(-x, x < 0), (x, True)]),
        ("{x**2, 0 > x; {1, x > 1; x}}", [(x**2, x < 0), (1, x > 1), (x, True)]),
    ],
)
def test_pieces(text, pieces):
    assert sp.piecewise_fold(read(text)) == sp.Piecewise(*pieces)


@pytest.mark.parametrize("text", ["{x, x < 0}", "{x, x < 0; 1, x > 0}", "{x, 1 < 0}", "Piecewise((x, x < 1))", "{}"])
def test_pieces_must_cover_the_line(text):
    with pytest.raises(BadInput, match=r"cover every real x|number, a name"):
        read(text)


@pytest.mark.parametrize("name", oracles.FUNCTIONS)
def test_what_is_printed_is_read_back(name):
    record = lookup.function(name)
    assert read(str(record.expression)) == record.expression
    assert read(record.formula) == record.expression


def test_definitions_are_taken_apart_outside_brackets():
    assert definitions("w = f(x, 1), d={x, x < 0; 1}", "--where") == {"w": "f(x, 1)", "d": "{x, x < 0; 1}"}
    assert definitions("", "--where") == {}


@pytest.mark.parametrize("text", ["w", "w=", "=1", "1=2", "w=(1", "w=1)", "w=1, w=2", "w w=1"])
def test_wrong_definitions_are_refused(text):
    with pytest.raises(BadInput, match="--where"):
        definitions(text, "--where")


HOSTILE = [
    "", " ", "\0", "x\0", "x;", ";", "'", '"', "`id`", "$(id)", "#", "x#", "\\",
    "__import__('os').system('id')", "().__class__", "x.__class__", "x.subs", "lambda: x", "[x]", "x if x else 1",
    "import os", "eval(x)", "exec(x)", "open(x)", "print(x)", "S(x)", "Symbol(x)", "Lambda(x)", "Function(x)", "I",
    "oo", "zoo", "nan", "inf", "None", "True", "x and x", "x==x", "x=1", "x<1", "x!", "x%2", "x//2", "x&1", "~x",
    "х", "ｘ", "１", "x²", "x−1", "x–1", "∞", "π", "σ(x)", "x\u200b", "\u202ex", "\ufeffx", "x\u00a0+1", "é", "😀",
    "(" * 3000, "(" * 300 + "x" + ")" * 300, "-" * 3000 + "x", "{" * 200, "exp(" * 500, "x" * 5000, "x+" * 5000,
    "1" * 201, "1" * 3999, "1e401", "1e-401", "1e999999999", "1e" + "9" * 100, "1..2", "1.2.3", ".", "1e", "0x10",
    "1_000", "9**9**9**9", "10**100**100", "2**(2**100)", "x**1000", "(((2**100)**100)**100)**100", "2**100**100*x",
    "1/0", "x/0", "0/0", "x/(x - x)", "0**-1", "1/(2 - 2)", "log(0)", "tanh(1/0)", "mish(0**-1)", "0**x", "(-2)**x",
    "sqrt(-1)", "log(-1)", "(-1)**0.5", "(-8)**(1/3)", "(-1)**pi", "max(sqrt(-1), x)", "{x, sqrt(-1) < x; 1}",
    "min(x, log(-1))", "max((-1)**pi, 1)", "where(log(-1) > 0, x, 1)", "squareplus(0, -1)", "squareplus(x, -1)",
    "f(x)", "x(x)", "2(x)", "2x", "x x", "(x", "x)", "()", "x,", ",", "x,x", "max()", "clip(x)", "clip(x,1,0)",
    "clip(x,x,1)", "exp()", "exp(x,x)", "mish(", "mish(x,x)", "hard_gate(a=)", "swish(=1)", "swish(beta==2)",
    "swish(1=2)", "lerp(x)",
    "{", "{x", "{x,}", "{x, x}", "{x, x<}", "where(x)", "where(x<0,x)", "where(x,x,x)", "Piecewise(x)",
    "max(" + "x," * 8 + "x)",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
@pytest.mark.parametrize("reader", [lookup.get, lookup.family], ids=lambda f: f.__name__)
def test_hostile_text_is_refused_in_one_line_and_at_once(reader, text):
    with pytest.raises(BadInput) as caught:
        reader(text)
    message = str(caught.value)
    assert message.isprintable(), "one line without control characters"
    assert len(message) < 600


LARGE = [
    "x+" * 1999 + "x",
    "x*" * 999 + "x",
    "exp(" * 58 + "x" + ")" * 58,
    "x**x**x**x",
    "exp(exp(exp(x)))",
    "sin(1e300)",
    "((x+1)**100)**100",
    "diff(diff(diff(diff(mish))))",
]


@pytest.mark.parametrize("text", LARGE, ids=lambda text: text[:30])
def test_large_but_legal_text_is_read_quickly(text):
    assert lookup.get(text).expression is not None


SOUP = (
    "x 1 0 2.5 1e3 pi a ( ) + - * / ** ^ , ; { } < <= > = . _ \0 é True mish relu( clip( exp( log( sqrt( max( min( "
    "abs( step( where( Piecewise(( diff( lerp( squareplus( swish(beta= hard_gate(a=5,b=3)"
)
token_soup = st.lists(st.sampled_from(SOUP.split(" ")), max_size=14).map("".join)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=40), token_soup))
def test_any_text_is_read_or_refused(text):
    for reader in (lookup.get, lookup.family):
        message = refusal(reader, text)
        assert message is None or message.isprintable()


# Random valid text, which Python reads with the same precedence: its own evaluator in mpmath numbers is the oracle.

PYTHON = {
    "exp": mp.exp,
    "tanh": mp.tanh,
    "atan": mp.atan,
    "abs": abs,
    "max": max,
    "min": min,
    "relu": lambda z: max(z, mp.mpf(0)),
    "sigmoid": oracles.sigmoid,
    "softplus": oracles.softplus,
    "Phi": oracles.normal,
}
UNARY = [*(f"{word}({{}})" for word in PYTHON if word not in ("max", "min")), "({})", "-{}", "+{}", "({})**2", "{}**2"]
BINARY = ["{}+{}", "{} - {}", "{}*{}", "{}/{}", "max({}, {})", "min({},{})"]
atoms = st.sampled_from(["x", "x", "x", "1", "2", "3", "0.5", "1.25", ".1"])


def grow(inner):
    unary = st.tuples(st.sampled_from(UNARY), inner)
    binary = st.tuples(st.sampled_from(BINARY), inner, inner)
    return st.one_of(unary, binary).map(lambda parts: parts[0].format(*parts[1:]))


texts = st.recursive(atoms, grow, max_leaves=8)


@settings(max_examples=150)
@given(texts, st.sampled_from(["-17/8", "-1/3", "3/7", "5/2"]))
def test_random_expressions_have_the_value_that_python_gives_them(text, at):
    point = sp.Rational(at)
    with mp.workdps(80):
        names = PYTHON | {"mpf": mp.mpf, "x": mp.mpf(point.p) / point.q}
        try:
            expected = eval(re.sub(r"\d*\.?\d+", r"mpf('\g<0>')", text), {"__builtins__": {}}, names)
        except (ZeroDivisionError, OverflowError):
            assume(False)
        assume(mp.isnormal(expected) and 1e-20 < abs(expected) < 1e30)
        if message := refusal(read, text):
            assert re.search("divisor|exponent|real values|positive base|smaller power", message)
            return
        found = elementary(read(text)).subs(x, point).evalf(30)
        assert mp.almosteq(mp.mpf(str(found)), expected, rel_eps=mp.mpf(10) ** -25)


@given(texts)
@settings(max_examples=100)
def test_random_expressions_survive_being_printed(text):
    if refusal(read, text) is None:
        assert read(str(read(text))) == read(text)
