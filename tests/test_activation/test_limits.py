"""What would keep sympy busy is refused before it is begun, and points at the place; what is moderate is read."""

import time

import pytest
import sympy as sp

from analysis.activation import limits, lookup
from analysis.activation.errors import BadInput
from analysis.activation.parsing import X

TOO_LARGE = [
    ("((((2*x)**100)**100)**100)**100", "smaller power"),
    ("((((x+1)**100)**100)**100)**100", "powers of at most 10000"),
    ("exp(1e6*log(2))", "logarithm of a number"),
    ("exp(1e60*log(2)*x)", "logarithm of a number"),
    ("(2**60)**(pi*30)", "smaller power"),
    ("2**(1e60*x)", "variable exponent of a number"),
    ("elu(-1e60*log(2))", "logarithm of a number"),
    ("max(exp(exp(exp(20))), 3)", "exponent of e"),
    ("sin(exp(exp(20)))", "exponent of e"),
    ("exp(exp(exp(3.2)))", "exponent of e"),
    ("1e400*1e400*1e400*x", "at most 1000 digits"),
    ("(" + "*".join(["1234567891"] * 45) + ")**(1/3)", "digits under a root"),
    ("x**(1/10**12)", "roots of at most 1e[+]09"),
    ("log(2)**((1.5**(10)**(-100))**1e-60)**(x/7)", "roots of at most 1e[+]09"),
    ("exp(10**10*x**((((pi)**1e-60)**log(3))**(-100))**1e-60)", "roots of at most 1e[+]09"),
    ("pi**(pi/10**20)", "roots of at most 1e[+]09"),
    ("mish(" * 12 + "x" + ")" * 12, "at most 4000 parts"),
    ("mish(" * 12 + "2" + ")" * 12, "constants of at most 60 parts"),
    ("abs(x-" * 30 + "x" + ")" * 30, "inside one another"),
    ("diff(" + "*".join(f"(x+{i})" for i in range(180)) + ")", "shorter expression to differentiate"),
]


@pytest.mark.parametrize(("text", "complaint"), TOO_LARGE, ids=[text[:30] for text, _ in TOO_LARGE])
def test_what_is_too_large_is_refused_at_once_with_its_column(text, complaint):
    started = time.process_time()
    with pytest.raises(BadInput, match=rf"{complaint}.*column \d+"):
        lookup.expression(text)
    assert time.process_time() - started < 3


MODERATE = [
    "(x+1)**100",
    "((x+1)**100)**100",
    "2**(100*x)",
    "1e300*x",
    "exp(1e28*x)",
    "sin(1e300)",
    "exp(2000)",
    "2**0.5",
]


@pytest.mark.parametrize("text", MODERATE)
def test_what_is_moderate_is_read(text):
    assert lookup.expression(text) is not None


def test_names_spelled_out_count_as_often_as_they_stand():
    names = {"w": lookup.expression("+".join(f"sin({k}*x)" for k in range(1, 300)))}
    with pytest.raises(BadInput, match="names are spelled out"):
        lookup.expression("w*" * 50 + "x", names)


def test_the_size_is_that_of_the_tree():
    assert limits.nodes(X) == 1
    assert limits.nodes(sp.sin(X) + sp.sin(X) ** 2) == 7  # + sin x ** sin x 2


@pytest.mark.parametrize("text", [r"\frac{e^x \omega}{\delta^2}", r"x\cdot 2", r"\sqrt{x}"])
def test_latex_is_refused_with_what_to_write_instead(text):
    with pytest.raises(BadInput, match=r"LaTeX is not read.*column \d+.*\(a\)/\(b\)"):
        lookup.expression(text)
