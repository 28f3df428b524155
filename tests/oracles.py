"""Independent formulas: every catalogued function in mpmath, written out by hand with its constants in it.

Nothing here is read from the package, so that a slip in the catalogue does not confirm itself.
"""

import mpmath as mp
from mpmath import mpf


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def softplus(z):
    return mp.log(1 + mp.exp(z))


def normal(z):
    return mp.erfc(-z / mp.sqrt(2)) / 2


def clip(z, low, high):
    return min(max(z, low), high)


def hard_gate(x, a, b, c=None):
    return x * clip(x + mpf(b), 0, mpf(a)) / mpf(c or a)


def mish(x):
    return x * mp.tanh(softplus(x))


def aptx(x, alpha, beta, gamma):
    return (alpha + mp.tanh(beta * x)) * gamma * x


# Every function of the catalogue, the published members of its families among them, by the name it is called.
FUNCTIONS = {
    "relu": lambda x: max(x, mpf(0)),
    "relu6": lambda x: clip(x, mpf(0), mpf(6)),
    "sigmoid": sigmoid,
    "tanh": mp.tanh,
    "softsign": lambda x: x / (1 + abs(x)),
    "selu": lambda x: mpf("1.0507009873554804934") * (x if x > 0 else mpf("1.6732632423543772848") * mp.expm1(x)),
    "gelu": lambda x: x * normal(x),
    "mish": mish,
    "hard_sigmoid": lambda x: clip(x / 6 + mpf(1) / 2, mpf(0), mpf(1)),
    "hard_tanh": lambda x: clip(x, mpf(-1), mpf(1)),
    "cubic_hard_mish": lambda x: x if x > 0 else x * (x / 4 + 1) ** 2 if x > -4 else mpf(0),
    "hard_swish": lambda x: x * clip(x + 3, mpf(0), mpf(6)) / 6,
    "hard_mish": lambda x: hard_gate(x, 5, 3),
    "hard_gate(a=4, b=3)": lambda x: hard_gate(x, 4, 3),
    "hard_gate(a=3, b=3)": lambda x: hard_gate(x, 3, 3),
    "h_mish": lambda x: x / 2 * clip(x + 2, mpf(0), mpf(2)),
    "hard_gate(a=5, b=2.8)": lambda x: hard_gate(x, 5, "2.8"),
    "hard_gate3(a=5, b=2.84386, c=4.99049)": lambda x: hard_gate(x, 5, "2.84386", "4.99049"),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "quick_gelu": lambda x: x * sigmoid(mpf("1.702") * x),
    "aptx(alpha=1, beta=1, gamma=0.5)": lambda x: aptx(x, 1, 1, mpf(1) / 2),
    "aptx(alpha=1, beta=0.5, gamma=0.5)": lambda x: aptx(x, 1, mpf(1) / 2, mpf(1) / 2),
    "linear_swish(s=2, beta=1.25)": lambda x: x if x > 0 else 2 * x * sigmoid(5 * x / 4),
    "approx_mish": lambda x: x * sigmoid(2 * x if x > 0 else x),
    "split_hard_gate(b=3, p=7, q=5)": lambda x: hard_gate(x, 7 if x < 0 else 5, 3),
    "hard_gate_relu(a=7, b=3)": lambda x: x if x > 0 else hard_gate(x, 7, 3),
    "hard_gate_relu(a=4, b=3)": lambda x: x if x > 0 else hard_gate(x, 4, 3),
    "gelu_tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mpf("0.044715") * x**3))),
    "beta_mish": lambda x: x * mp.tanh(3 * softplus(x) / 2),
    "e_swish": lambda x: mpf(11) / 8 * x * sigmoid(x),
    "leaky_relu": lambda x: max(x, x / 100),
    "elu": lambda x: x if x > 0 else mp.expm1(x),
    "celu": lambda x: x if x > 0 else mp.expm1(x),
    "softplus": softplus,
    "squareplus": lambda x: (x + mp.sqrt(x**2 + 4)) / 2,
    "relu_n": lambda x: clip(x, mpf(0), mpf(6)),
}

SMOOTH = [
    "sigmoid", "tanh", "gelu", "mish", "silu", "quick_gelu", "aptx(alpha=1, beta=1, gamma=0.5)",
    "aptx(alpha=1, beta=0.5, gamma=0.5)", "gelu_tanh", "beta_mish", "e_swish", "softplus", "squareplus",
]  # fmt: skip

# name -> (smoothness class, {kink: (jump of f, of f', of f'')}), by hand
KINKS = {
    "relu": (0, {"0": "0 1 0"}),
    "relu6": (0, {"0": "0 1 0", "6": "0 -1 0"}),
    "softsign": (1, {"0": "0 0 -4"}),
    "hard_sigmoid": (0, {"-3": "0 1/6 0", "3": "0 -1/6 0"}),
    "hard_tanh": (0, {"-1": "0 1 0", "1": "0 -1 0"}),
    "cubic_hard_mish": (1, {"-4": "0 0 -1/2", "0": "0 0 -1"}),
    "hard_swish": (0, {"-3": "0 -1/2 1/3", "3": "0 -1/2 -1/3"}),
    "hard_mish": (0, {"-3": "0 -3/5 2/5", "2": "0 -2/5 -2/5"}),
    "hard_gate(a=4, b=3)": (0, {"-3": "0 -3/4 1/2", "1": "0 -1/4 -1/2"}),
    "hard_gate(a=3, b=3)": (0, {"-3": "0 -1 2/3", "0": "0 0 -2/3"}),
    "h_mish": (0, {"-2": "0 -1 1", "0": "0 0 -1"}),
    "linear_swish(s=2, beta=1.25)": (1, {"0": "0 0 -5/4"}),
    "approx_mish": (1, {"0": "0 0 1/2"}),
    "split_hard_gate(b=3, p=7, q=5)": (0, {"-3": "0 -3/7 2/7", "0": "0 6/35 4/35", "2": "0 -2/5 -2/5"}),
    "hard_gate_relu(a=7, b=3)": (0, {"-3": "0 -3/7 2/7", "0": "0 4/7 -2/7"}),
    "hard_gate_relu(a=4, b=3)": (0, {"-3": "0 -3/4 1/2", "0": "0 1/4 -1/2"}),
    "leaky_relu": (0, {"0": "0 99/100 0"}),
    "elu": (1, {"0": "0 0 -1"}),
    "celu": (1, {"0": "0 0 -1"}),
    "relu_n": (0, {"0": "0 1 0", "6": "0 -1 0"}),
}
