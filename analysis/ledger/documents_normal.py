"""What documents say of activations of a standard normal input: mean 0, variance 1, and constants that keep them."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache, partial

import sympy as sp

from analysis.activation import lookup
from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import GAUSSIAN, decided
from analysis.ledger.claim import Claim, Evidence, Finding
from analysis.rigorous.balls import Pair
from analysis.rigorous.comparison import enclose

PROVED, REFUTED = Verdict.PROVED, Verdict.REFUTED
GAINS = {  # of deepmind-research, nfnets/base.py, as far as they are functions of one input
    "celu": "1.270926833152771",
    "elu": "1.2716004848480225",
    "gelu_tanh": "1.7015043497085571",  # what jax.nn.gelu is by default
    "leaky_relu": "1.70590341091156",
    "log_sigmoid": "1.9193484783172607",
    "relu": "1.7139588594436646",
    "relu6": "1.7131484746932983",
    "selu": "1.0008515119552612",
    "sigmoid": "4.803835391998291",
    "silu": "1.7881293296813965",
    "softsign": "2.338853120803833",
    "softplus": "1.9203323125839233",
    "tanh": "1.5939117670059204",
}
SPELLED = {"log_sigmoid": "-softplus(-x)"}
PRINTED = ("1.0507009873554804934193349852946", "1.6732632423543772848170429916717")


@cache
def moments(f: str) -> tuple[Pair, Pair]:
    """Mean and variance of f(Z), Z standard normal: E f^2 is a square norm, and 2 E f = E (f+1)^2 - E f^2 - 1."""
    body = lookup.function(SPELLED.get(f, f)).expression
    (low, high), (low_up, high_up) = ([end * end for end in _ends(enclose(g, GAUSSIAN))] for g in (body, body + 1))
    mean = (low_up - high - 1) / 2, (high_up - low - 1) / 2
    squares = [end * end for end in mean]
    least = Fraction(0) if mean[0] <= 0 <= mean[1] else min(squares)
    return _pair(*mean), _pair(low - max(squares), high - least)


def _ends(pair: Pair) -> tuple[Fraction, Fraction]:
    return Fraction(pair[0]), Fraction(pair[1])


def _pair(low: Fraction, high: Fraction) -> Pair:
    """Exact ends as decimals, rounded outward."""
    ends = [checks.pair_of(sp.Rational(q.numerator, q.denominator)) for q in (low, high)]
    return ends[0][0], ends[1][1]


def gained_variance(f: str) -> Pair:
    """The variance of gain f(Z)."""
    low, high = (end * Fraction(GAINS[f]) ** 2 for end in _ends(moments(f)[1]))
    return _pair(low, high)


def variance_preserving(stated: str) -> Finding:
    """Whether gain f(Z) has a variance that rounds to the stated 1.0, 1.00, ... for each of the functions."""
    found = {f: gained_variance(f) for f in GAINS}
    off = {f: pair for f, pair in found.items() if not checks.rounds_to(pair, stated)}
    worst = max(found, key=lambda f: abs(Decimal(found[f][0]) - 1))
    relu = checks.pair_of(1 / sp.sqrt(sp.S.Half - 1 / (2 * sp.pi)))
    return decided(
        not off,
        f"the variance is {stated} for all {len(found)}, the farthest off {worst} with {checks.short(found[worst], 7)}",
        f"the variance is not {stated} for {len(off)} of {len(found)}: "
        + ", ".join(f"{f} {checks.short(pair, 7)}" for f, pair in list(off.items())[:4]),
        Evidence("variances", ", ".join(f"{f} {checks.short(pair, 7)}" for f, pair in found.items())),
        Evidence("celu and elu with alpha = 1 are one function with two gains", f"{GAINS['celu']}, {GAINS['elu']}"),
        Evidence("the gain of relu would be sqrt(2 pi/(pi - 1))", checks.enclosed(relu)),
    )


def selu_constants() -> tuple[sp.Expr, sp.Expr]:
    """scale and alpha with E selu(Z) = 0 and E selu(Z)^2 = 1, from the integrals of exp(x) and exp(2x) over x < 0.

    With q(n) = exp(n^2/2) Phi(-n) for the integral of exp(n x) over x < 0:
    1/sqrt(2 pi) + alpha (q(1) - 1/2) = 0 and scale^2 (1/2 + alpha^2 (q(2) - 2 q(1) + 1/2)) = 1.
    """
    q = {n: sp.exp(sp.Rational(n * n, 2)) * sp.erfc(n / sp.sqrt(2)) / 2 for n in (1, 2)}
    q = {n: value.rewrite(sp.erf) for n, value in q.items()}
    alpha = 1 / (sp.sqrt(2 * sp.pi) * (sp.S.Half - q[1]))
    scale = 1 / sp.sqrt(sp.S.Half + alpha**2 * (q[2] - 2 * q[1] + sp.S.Half))
    return scale, alpha


def selu_digits(scale: str, alpha: str) -> Finding:
    """Whether the printed constants are the exact ones, rounded to their digits."""
    exact = [checks.pair_of(value, 45) for value in selu_constants()]
    with localcontext(prec=60):
        right = [checks.rounds_to(pair, text) for pair, text in zip(exact, (scale, alpha), strict=True)]
    wrong = [name for name, fine in zip(("scale", "alpha"), right, strict=True) if not fine]
    return decided(
        all(right),
        f"both constants are exact in all their digits: {scale}, {alpha}",
        f"{' and '.join(wrong)} not rounded to the digits printed: {' and '.join(_digits(pair) for pair in exact)}",
        *(Evidence(f"{name} from mean 0 and variance 1", checks.enclosed(pair))
          for name, pair in zip(("scale", "alpha"), exact, strict=True)),
    )  # fmt: skip


def _digits(pair: Pair) -> str:
    return f"{Decimal(pair[0]):.12f}..."


def normalised(f: str, mean: str = "0.0000000", variance: str = "1.0000000") -> Finding:
    """Whether the mean and the variance of f(Z) are 0 and 1 to the digits given."""
    found = moments(f)
    text = f"mean {float(found[0][1]):.3g}, variance - 1 {float(Decimal(found[1][1]) - 1):.3g}"
    return decided(
        checks.rounds_to(found[0], mean) and checks.rounds_to(found[1], variance),
        f"{text}: {mean} and {variance} to the digits given",
        f"{text}: not {mean} and {variance}",
        Evidence("mean", checks.enclosed(found[0])),
        Evidence("variance", checks.enclosed(found[1])),
        Evidence(
            "root mean square",
            checks.enclosed(enclose(lookup.function(f).expression, GAUSSIAN)),
            checks.command("compare", f, "0", "--norm", "gaussian"),
        ),
    )


def star_relu(scale: str = "0.8944", bias: str = "-0.4472") -> Finding:
    """Whether s relu(Z)^2 + b has mean 0 and variance 1 for the stated s and b, rounded."""
    x = sp.Symbol("x", positive=True)
    second, fourth = (sp.integrate(x**n * sp.exp(-(x**2) / 2), (x, 0, sp.oo)) / sp.sqrt(2 * sp.pi) for n in (2, 4))
    s = 1 / sp.sqrt(fourth - second**2)
    b = -s * second
    pairs = [checks.pair_of(value) for value in (s, b)]
    return decided(
        all(checks.rounds_to(pair, text) for pair, text in zip(pairs, (scale, bias), strict=True)),
        f"E relu^2 = {second}, variance {fourth - second**2}: s = {s}, b = {b}",
        f"E relu^2 = {second}, variance {fourth - second**2}: s = {s}, b = {b}, not {scale} and {bias}",
        Evidence("s, b", " and ".join(checks.enclosed(pair) for pair in pairs)),
    )


NFNETS = "google-deepmind/deepmind-research, nfnets/base.py, nonlinearities"
NFNETS_SAYS = "These gains make the activations variance preserving for a standard normal input"
TORCH = "PyTorch, documentation of torch.nn.SELU"
KERAS = "Keras 3, keras/src/activations/activations.py, selu"
KERAS_SELU = "1.05070098*{x, x > 0; 1.67326324*(exp(x) - 1)}"
KERAS_SAYS = "alpha = 1.67326324 and scale = 1.05070098 are chosen so that mean 0 and variance 1 are preserved"

CLAIMS: tuple[Claim, ...] = (
    Claim("F30", NFNETS, NFNETS_SAYS, REFUTED, partial(variance_preserving, "1.000"), "to three decimals"),
    Claim("F30", NFNETS, NFNETS_SAYS, PROVED, partial(variance_preserving, "1.0"), "to one decimal"),
    Claim(
        "F31",
        TORCH,
        f"SELU has scale = {PRINTED[0]} and alpha = {PRINTED[1]}",
        PROVED,
        partial(selu_digits, *PRINTED),
        "all digits are those of the fixed point mean 0, variance 1",
    ),
    Claim("F32", KERAS, KERAS_SAYS, REFUTED, partial(selu_digits, "1.05070098", "1.67326324"), "all digits rounded"),
    Claim("F32", KERAS, KERAS_SAYS, PROVED, partial(normalised, KERAS_SELU), "with these digits, to 7 decimals"),
    Claim(
        "F33",
        "Yu et al., MetaFormer Baselines for Vision, arXiv:2210.13452, StarReLU",
        "0.8944 relu(x)^2 - 0.4472 has mean 0 and variance 1 for a standard normal x",
        PROVED,
        star_relu,
        "to the four digits given",
    ),
)
