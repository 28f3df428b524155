"""The summary of the Mish paper: its derivative, its code, its properties."""

from __future__ import annotations

import ast
import difflib
from dataclasses import replace
from decimal import Decimal
from functools import partial

import sympy as sp

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.breakpoints import smoothness
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import decided
from analysis.ledger.claim import Claim, Evidence, Finding

MEASURED, PROVED, REFUTED = Verdict.MEASURED, Verdict.PROVED, Verdict.REFUTED
SUMMARY = "Mish Paper Summary (of Misra, arXiv:1908.08681)"
OMEGA, DELTA = "4*(x+1) + 4*exp(2*x) + exp(3*x) + exp(x)*(4*x+6)", "2*exp(x) + exp(2*x) + 2"
FUNCTIONAL = """celu elu gelu glu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish prelu relu relu6
rrelu selu sigmoid silu softmax softmin softplus softshrink softsign tanh tanhshrink threshold"""
FORWARD = "return x.mul(torch.tanh(F.softplus(x))"
BACKWARD = (
    "sx = torch.sigmoid(x)",
    "fx = F.sofplus(x).tanh()",
    "return grad_output * (fx + x * sx * (1 - fx * fx))",
)


def derivative(delta: str, omega: str = OMEGA) -> Finding:
    """Whether e^x w/delta^2 is the derivative of Mish; if not, the right delta stands beside it."""
    found = _quotient(delta, omega)
    if found.verdict is not Verdict.REFUTED:
        return found
    right = _quotient(DELTA, OMEGA).evidence
    return Finding(found.verdict, found.reason, (*found.evidence, replace(right[0], what=f"with d = {DELTA}")))


def _quotient(delta: str, omega: str) -> Finding:
    return checks.identity("diff(mish)", "exp(x)*w/d**2", f"w={omega}, d={delta}")


def backward(slope: str = "sigmoid(x)") -> Finding:
    """Whether fx + x sx (1 - fx^2) is the derivative of Mish, where `slope` is sx."""
    return checks.identity("diff(mish)", "fx + x*sx*(1 - fx**2)", f"fx=tanh(softplus(x)), sx={slope}")


def bounded_below(stated: str = "-0.31") -> Finding:
    """Whether the minimum of Mish, its only one and below both tails, rounds to the stated number."""
    lowest = checks.minimum("mish").value
    tails = [limit_at_infinity(lookup.function("mish").expression, end) for end in (-1, 1)]
    if any(not checks.below(lowest, checks.pair_of(tail)) for tail in tails):
        raise Undecided(f"the infimum of mish, whose tails tend to {tails}")
    holds = "holds" if Decimal(stated) <= Decimal(lowest[0]) else "fails"
    return decided(
        checks.rounds_to(lowest, stated),
        f"the infimum is {checks.short(lowest, 5)}, the only minimum; as a bound {stated} {holds}",
        f"the infimum is {checks.short(lowest, 5)}, the only minimum, which does not round to {stated}",
        checks.at_minimum("mish"),
    )


def unbounded_above(name: str = "mish") -> Finding:
    limit = limit_at_infinity(lookup.function(name).expression, 1)
    again = checks.command("show", name)
    return decided(
        limit == sp.oo,
        f"{name}(x) tends to {limit} as x does",
        f"{name}(x) tends to {limit}",
        Evidence(f"limit of {name} at oo", str(limit), again),
    )


def non_monotonic(name: str = "mish", points: tuple[int, ...] = (-2, -1, 0)) -> Finding:
    """Falls and rises, by enclosures of its values at three points."""
    f = lookup.function(name).expression
    values = [checks.pair_of(f.subs(X, point)) for point in points]
    falls, rises = checks.below(values[1], values[0]), checks.below(values[1], values[2])
    evidence = [Evidence(f"{name}({x})", checks.enclosed(v)) for x, v in zip(points, values, strict=True)]
    return decided(
        falls and rises,
        f"{name} falls from x = {points[0]} to {points[1]} and rises from there to {points[2]}",
        f"{name} does not fall and rise between the points {points}",
        *evidence,
    )


def smooth(name: str = "mish") -> Finding:
    order = smoothness(lookup.function(name).expression)
    return decided(
        order == sp.oo,
        f"{name} is one analytic expression without breakpoints: C^oo",
        f"{name} is C^{order} and no smoother",
        Evidence(f"smoothness of {name}", f"C^{order}", checks.command("show", name)),
    )


def compiles(*lines: str, repaired: tuple[str, ...] = ()) -> Finding:
    """Whether the lines, as a function's body, are Python, and name only what torch.nn.functional has."""
    problem = _problem(lines)
    evidence = [Evidence("as printed", "; ".join(lines))]
    if problem and repaired:
        left = _problem(repaired)
        evidence.append(Evidence("repaired", "; ".join(repaired) + (f": still {left}" if left else ": no complaint")))
    return decided(not problem, "the text compiles and every name is in the library", problem, *evidence)


def _problem(lines: tuple[str, ...]) -> str:
    """The first complaint about the text, which is never run; empty if there is none."""
    body = "\n    ".join(("def fragment(x, grad_output, torch, F):", *lines))
    try:
        tree = ast.parse(body)
        compile(tree, "<fragment>", "exec")
    except SyntaxError as error:
        return f"the text does not compile: {error.msg}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name) or node.value.id != "F":
            continue
        if node.attr not in FUNCTIONAL.split():
            near = difflib.get_close_matches(node.attr, FUNCTIONAL.split(), n=1)
            return f"torch.nn.functional has no {node.attr}" + (f" (it has {near[0]})" if near else "")
    return ""


def _section(name: str) -> str:
    return f"{SUMMARY}, section {name}"


FRAGMENTS = "The code given for PyTorch runs as printed"
PROPERTIES = "Mish is bounded below by about -0.31, unbounded above, non-monotonic and smooth"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "P1",
        _section("Mish Activation"),
        "The derivative of Mish is e^x w/d^2 with w = 4(x+1) + 4e^(2x) + e^(3x) + e^x (4x+6), d = 2e^(2x) + e^(2x) + 2",
        REFUTED,
        partial(derivative, "2*exp(2*x) + exp(2*x) + 2"),
        "as printed; with the first term of d read as 2e^x it is P2",
    ),
    Claim(
        "P2",
        "thomasbrandon/mish-cuda, csrc/mish.h, mish_bwd_func as first written; also in a comment of darknet",
        "The derivative of Mish is e^x w/d^2 with the w of P1 and d = 2e^x + e^(2x) + 2",
        PROVED,
        partial(derivative, DELTA),
    ),
    Claim(
        "P3",
        _section("Code"),
        "The backward pass fx + x sx (1 - fx^2), fx = tanh(softplus(x)), sx = sigmoid(x), is the derivative of Mish",
        PROVED,
        backward,
        "in real arithmetic",
    ),
    Claim("P4", _section("Explanation"), PROPERTIES, PROVED, bounded_below, "the bound below"),
    Claim("P4", _section("Explanation"), PROPERTIES, PROVED, unbounded_above, "unbounded above"),
    Claim("P4", _section("Explanation"), PROPERTIES, PROVED, non_monotonic, "non-monotonic"),
    Claim("P4", _section("Explanation"), PROPERTIES, PROVED, smooth, "smooth: derivatives of every order"),
    Claim(
        "P5",
        _section("Code"),
        FRAGMENTS,
        REFUTED,
        partial(compiles, FORWARD, repaired=(FORWARD + ")",)),
        "the forward pass, checked as text; it would with the missing bracket",
    ),
    Claim(
        "P5",
        _section("Code"),
        FRAGMENTS,
        REFUTED,
        partial(compiles, *BACKWARD, repaired=tuple(line.replace("sofplus", "softplus") for line in BACKWARD)),
        "the backward pass, checked as text; it would with softplus spelled out",
    ),
    Claim(
        "P6",
        _section("Results"),
        "Mish ends with a higher mean accuracy and a lower spread over seeds than ReLU and Swish, the more so with "
        "depth and width, over batch sizes, initialisers and input noise",
        MEASURED,
        partial(checks.measured, "P6"),
    ),
    Claim(
        "P7",
        _section("Results"),
        "Mish gains more than Swish does from mixup (alpha = 0.2) and from cosine annealing",
        MEASURED,
        partial(checks.measured, "P7"),
    ),
)
