"""What is in print: errors of approximations of activations, each with where it was read, its domain and its norm.

A figure is written as it is printed. Of Uni-SFU itself (arXiv:2608.11577) none was found with its pieces and degrees.
Where the domain or the norm is not stated, or where nothing here answers it, the record says so in `why` and nothing is
compared. `judgement` compares the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from analysis.activation.errors import BadInput
from analysis.rigorous.norms import Norm

LINE = Norm()
UNI_SFU = "YuchengHuang313/Uni-SFU, evaluate_piecewise_configs.py, REFERENCE_COMPARISON_CASES"
FLEX_SFU = f"Reggiani, Andri, Cavigelli, Flex-SFU (DAC 2023, arXiv:2305.04546; later TCAD 2025), as quoted in {UNI_SFU}"
EIGHT = "the domain is that of the comparison that quotes the figure; n breakpoints part the line into n + 1 pieces"
GQA = "PingchengDong/GQA-LUT (DAC 2024, arXiv:2403.19591), pretrained/gelu_pwl_{}.json, breakpoints of 6 bits"
GQA_POINTS = "the points are those that its trainer takes for -4 to 4; all numbers are multiples of 1/64"
IBERT = "huggingface/transformers, models/ibert/quant_modules.py, IntGELU, for Kim et al., I-BERT (arXiv:2101.01321)"
IGELU = "x/2*(1 + sign(x)*(1 - {a}*(min(abs(x)/sqrt(2), {b}) - {b})^2))"
PADDLE = "PaddlePaddle/Paddle, merge request 22426: tanh form and erf form, maximum absolute error between the two"
EXCHANGE = "datascience.stackexchange.com/questions/49522, answer: mean squared error for x in [-10, 10], about"
NO_QUADRATIC = "no best design of quadratic pieces in the mean-square norm is made here"


@dataclass(frozen=True)
class Printed:
    """An approximation in print, and what its best rival may use: so many linear pieces, or a family's constants.

    `figure` is the error as printed, "" where only constants are; `formula` has the constants, "" where only the error
    is in print. With `mean` the figure is the integral of the square over the length of the domain. `step`: all
    numbers of the rival are multiples of it. `why`: a remark, or, without a norm, the reason why nothing is compared.
    """

    name: str
    target: str
    source: str
    figure: str = ""
    formula: str = ""
    norm: Norm | None = None
    mean: bool = False
    pieces: int | None = None
    family: str = ""
    step: Fraction | None = None
    why: str = ""

    def __post_init__(self) -> None:
        if not self.figure and not self.formula:
            raise BadInput(f"expected a figure or constants for {self.name}, got neither")
        if self.norm is None and not self.why:
            raise BadInput(f"expected a reason why {self.name} is not compared, got none")
        if self.norm is not None and bool(self.family) == (self.pieces is not None):
            raise BadInput(f"expected either a family or a number of pieces for {self.name}")

    @property
    def measure(self) -> str | None:
        """The norm and the domain in words."""
        if self.norm is None:
            return None
        if not self.mean:
            return str(self.norm)
        low, high = self.norm.domain
        return f"mean of the square, x in [{low}, {high}]"


def table(breakpoints: Sequence[float], slopes: Sequence[float], intercepts: Sequence[float]) -> str:
    """A look-up table of lines as a formula; at a breakpoint the line on its right."""
    *inner, last = [f"{m!r}*x + ({b!r})" for m, b in zip(slopes, intercepts, strict=True)]
    return "{" + "; ".join([*(f"{line}, x < {k!r}" for line, k in zip(inner, breakpoints, strict=True)), last]) + "}"


GQA_8 = table(
    breakpoints=[-3.015625, -2.203125, -0.890625, -0.421875, 0.03125, 0.625, 2.796875],
    slopes=[0, -0.03125, -0.109375, 0.046875, 0.359375, 0.75, 1.078125, 1],
    intercepts=[0, -0.09375, -0.265625, -0.125, 0, -0.015625, -0.21875, 0],
)
GQA_16 = table(
    breakpoints=[
        *(-4, -3.359375, -3.3125, -2.171875, -0.90625, -0.5, -0.125, 0),
        *(0.21875, 0.515625, 0.96875, 1.8125, 2.421875, 2.4375, 3.671875),
    ],
    slopes=[
        *(0, 0, 0, -0.03125, -0.109375, 0.03125, 0.265625, 0.453125),
        *(0.578125, 0.78125, 0.984375, 1.109375, 1.078125, 1.046875, 1.015625, 1),
    ],
    intercepts=[
        *(0, 0, -0.015625, -0.09375, -0.265625, -0.140625, -0.03125, 0),
        *(0, -0.046875, -0.15625, -0.265625, -0.203125, -0.125, -0.046875, 0),
    ],
)


def _flex(target: str, breakpoints: int, figure: str) -> Printed:
    norm = Norm("l2", -8.0, 8.0)
    name = f"Flex-SFU, {breakpoints} breakpoints, linear"
    return Printed(name, target, FLEX_SFU, figure, norm=norm, mean=True, pieces=breakpoints + 1, why=EIGHT)


def _quadratic(target: str, breakpoints: int, figure: str) -> Printed:
    name = f"Flex-SFU, {breakpoints} breakpoints, quadratic"
    return Printed(name, target, FLEX_SFU, figure, why=NO_QUADRATIC)


def _gqa(pieces: int, formula: str, step: Fraction | None) -> Printed:
    points = Norm.grid(-4.0, 3.99, 800)
    name = f"GQA-LUT, {pieces} entries" + (f", rivals in steps of {step}" if step else "")
    source = GQA.format(pieces - 1)
    return Printed(name, "gelu", source, "", formula, points, pieces=pieces, step=step, why=GQA_POINTS)


PRINTED: tuple[Printed, ...] = (
    _flex("gelu", 8, "3.65e-6"),
    _flex("gelu", 16, "1.89e-7"),
    _flex("silu", 8, "4.27e-5"),
    _flex("tanh(x)", 8, "1.37e-5"),
    _flex("tanh(x)", 16, "4.26e-7"),
    _flex("sigmoid(x)", 16, "2.88e-7"),
    _quadratic("gelu", 8, "3.78e-7"),
    _quadratic("gelu", 16, "9.07e-9"),
    _quadratic("silu", 8, "1.35e-6"),
    _quadratic("tanh(x)", 8, "9.28e-7"),
    _quadratic("tanh(x)", 16, "1.02e-8"),
    _quadratic("sigmoid(x)", 16, "6.50e-9"),
    _gqa(8, GQA_8, None),
    _gqa(8, GQA_8, Fraction(1, 64)),
    _gqa(16, GQA_16, None),
    _gqa(16, GQA_16, Fraction(1, 64)),
    Printed(
        "i-GELU",
        "gelu",
        IBERT,
        "1.8e-2",
        IGELU.format(a="0.2888", b="1.769"),
        LINE,
        family=IGELU.format(a="a", b="b"),
        why="the constants were read there; the figure is remembered from the paper and was not read again",
    ),
    Printed(
        "quick-GELU",
        "gelu",
        "Hendrycks, Gimpel, Gaussian Error Linear Units (arXiv:1606.08415); no error is printed there",
        "",
        "quick_gelu",
        LINE,
        family="swish",
    ),
    Printed(
        "tanh form",
        "gelu",
        PADDLE,
        "0.00047326088",
        "gelu_tanh",
        LINE,
        family="gelu_tanh",
        why="points and precision of the figure are not stated; the constants are compared on the whole line",
    ),
    Printed(
        "tanh form, mean square",
        "gelu",
        EXCHANGE,
        "1e-8",
        "gelu_tanh",
        Norm("l2", -10.0, 10.0),
        mean=True,
        family="gelu_tanh",
    ),
)
