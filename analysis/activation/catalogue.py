"""The catalogue: literal tables, one row an activation or a family, each with its citation. Data, no algorithms.

Formulas are text in the grammar of `analysis.activation.parsing`; decimal constants are exact. To add an activation,
add a row here: derivative, kinks, plots and the rest follow.
"""

from __future__ import annotations

from analysis.activation.record import Constant, Entry, Member

THREAD = "Mish discussion thread, fast.ai forums, 'hard-mish' posts"
THREAD_NOTEBOOK = (
    "hard-mish notebook of that thread: 100,000 random constants, mean squared error on linspace(-6, 6, 1000)"
)
MISH = "Misra, Mish: A Self Regularized Non-Monotonic Activation Function, arXiv:1908.08681 (2019)"
SWISH = "Ramachandran, Zoph, Le, Searching for Activation Functions, arXiv:1710.05941 (2017)"
SILU = "Elfwing, Uchibe, Doya, Sigmoid-Weighted Linear Units, arXiv:1702.03118 (2017)"
GELU = "Hendrycks, Gimpel, Gaussian Error Linear Units, arXiv:1606.08415 (2016)"
MOBILENET = "Howard et al., Searching for MobileNetV3, arXiv:1905.02244 (2019)"
APTX = "Kumar, APTx: Better Activation Function than MISH, SWISH, and ReLU's Variants, arXiv:2209.06119 (2022)"
TIMM = "timm, layers/activations.py, hard_mish (after the notes H-Mish by the author of Mish)"
RELU6 = "Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10 (2010)"
ECHO = "Misra, Echo (echoAI), activation collection, 'Beta Mish'"

FUNCTIONS = (
    Entry("relu", "relu(x)", ("Nair, Hinton, Rectified Linear Units Improve RBMs, ICML (2010)",)),
    Entry("relu6", "clip(x, 0, 6)", (RELU6,)),
    Entry("sigmoid", "sigmoid(x)", ("LeCun et al., Efficient BackProp (1998)",)),
    Entry("tanh", "tanh(x)", ("LeCun et al., Efficient BackProp (1998)",)),
    Entry("softsign", "x/(1 + abs(x))", ("Glorot, Bengio, Training Deep Feedforward Networks, AISTATS (2010)",)),
    Entry(
        "selu",
        "1.0507009873554804934*{x, x > 0; 1.6732632423543772848*(exp(x) - 1)}",
        ("Klambauer et al., Self-Normalizing Neural Networks, arXiv:1706.02515 (2017); constants as in PyTorch",),
    ),
    Entry("gelu", "x*Phi(x)", (GELU,)),
    Entry("mish", "x*tanh(softplus(x))", (MISH,)),
    Entry("hard_sigmoid", "clip(x + 3, 0, 6)/6", (MOBILENET,)),
    Entry("hard_tanh", "clip(x, -1, 1)", ("Collobert, Large Scale Machine Learning (2004)",)),
    Entry(
        "cubic_hard_mish",
        "x*clip(x/4 + 1, 0, 1)**2",
        ("x (x/4 + 1)^2 on [-4, 0], claim W5 of this project's ledger",),
    ),
)

_POSITIVE = (0.05, 20.0)

FAMILIES = (
    Entry(
        "hard_gate",
        "x*clip(x + b, 0, a)/a",
        (MOBILENET, THREAD),
        (Constant("a", _POSITIVE), Constant("b", _POSITIVE)),
        (
            Member({"a": "6", "b": "3"}, (MOBILENET,), "hard_swish"),
            Member({"a": "5", "b": "3"}, (THREAD,), "hard_mish"),
            Member({"a": "4", "b": "3"}, (THREAD,)),
            Member({"a": "3", "b": "3"}, (THREAD,)),
            Member({"a": "2", "b": "2"}, (TIMM,), "h_mish"),
            Member({"a": "5", "b": "2.8"}, (THREAD_NOTEBOOK,)),
        ),
    ),
    Entry(
        "hard_gate3",
        "x*clip(x + b, 0, a)/c",
        (THREAD_NOTEBOOK,),
        (Constant("a", _POSITIVE), Constant("b", _POSITIVE), Constant("c", _POSITIVE)),
        (Member({"a": "5", "b": "2.84386", "c": "4.99049"}, (THREAD_NOTEBOOK,)),),
    ),
    Entry(
        "swish",
        "x*sigmoid(beta*x)",
        (SWISH,),
        (Constant("beta", (0.1, 20.0)),),
        (
            Member({"beta": "1"}, (SILU, SWISH), "silu"),
            Member({"beta": "1.702"}, (GELU,), "quick_gelu"),
        ),
    ),
    Entry(
        "aptx",
        "(alpha + tanh(beta*x))*gamma*x",
        (APTX,),
        (Constant("alpha", (0.1, 3.0)), Constant("beta", (0.1, 10.0)), Constant("gamma", (0.1, 3.0))),
        (
            Member({"alpha": "1", "beta": "1", "gamma": "1/2"}, (APTX,)),
            Member({"alpha": "1", "beta": "1/2", "gamma": "1/2"}, (APTX,)),
        ),
    ),
    Entry(
        "linear_swish",
        "{s*x*sigmoid(beta*x), x <= 0; x, x >= 0}",
        (THREAD,),
        (Constant("s", (0.1, 10.0)), Constant("beta", (0.1, 10.0))),
        (Member({"s": "2", "beta": "1.25"}, (THREAD,)),),
    ),
    Entry(
        "two_sided_swish",
        "{x*sigmoid(p*x), x <= 0; x*sigmoid(q*x), x >= 0}",
        (THREAD,),
        (Constant("p", (0.1, 10.0)), Constant("q", (0.1, 10.0))),
        (Member({"p": "1", "q": "2"}, (THREAD,), "approx_mish"),),
    ),
    Entry(
        "split_hard_gate",
        "{x*clip(x + b, 0, p)/p, x < 0; x*clip(x + b, 0, q)/q, x >= 0}",
        (THREAD,),
        (Constant("b", _POSITIVE), Constant("p", _POSITIVE), Constant("q", _POSITIVE)),
        (Member({"b": "3", "p": "7", "q": "5"}, (THREAD_NOTEBOOK,)),),
    ),
    Entry(
        "hard_gate_relu",
        "{x*clip(x + b, 0, a)/a, x < 0; x, x >= 0}",
        (THREAD,),
        (Constant("a", _POSITIVE), Constant("b", _POSITIVE)),
        (Member({"a": "7", "b": "3"}, (THREAD_NOTEBOOK,)), Member({"a": "4", "b": "3"}, (THREAD,))),
    ),
    Entry(
        "gelu_tanh",
        "x*(1 + tanh(k*(x + c*x**3)))/2",
        (GELU,),
        (Constant("k", (0.1, 3.0), default="sqrt(2/pi)"), Constant("c", (0.001, 0.5), default="0.044715")),
    ),
    Entry("beta_mish", "x*tanh(beta*softplus(x))", (ECHO,), (Constant("beta", (0.1, 10.0), default="1.5"),)),
    Entry(
        "e_swish",
        "beta*x*sigmoid(x)",
        ("Alcaide, E-swish: Adjusting Activations to Different Network Depths, arXiv:1801.07145 (2018)",),
        (Constant("beta", (0.1, 10.0), default="1.375"),),
    ),
    Entry(
        "leaky_relu",
        "{slope*x, x < 0; x, x >= 0}",
        ("Maas, Hannun, Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, ICML (2013)",),
        (Constant("slope", (0.001, 1.0), default="0.01"),),
    ),
    Entry(
        "elu",
        "{alpha*(exp(x) - 1), x < 0; x, x >= 0}",
        ("Clevert, Unterthiner, Hochreiter, Exponential Linear Units, arXiv:1511.07289 (2015)",),
        (Constant("alpha", (0.05, 10.0), default="1"),),
    ),
    Entry(
        "celu",
        "{alpha*(exp(x/alpha) - 1), x < 0; x, x >= 0}",
        ("Barron, Continuously Differentiable Exponential Linear Units, arXiv:1704.07483 (2017)",),
        (Constant("alpha", (0.05, 10.0), default="1"),),
    ),
    Entry(
        "softplus",
        "softplus(beta*x)/beta",
        ("Dugas et al., Incorporating Second-Order Functional Knowledge, NIPS (2000); beta as in PyTorch",),
        (Constant("beta", (0.1, 20.0), default="1"),),
    ),
    Entry(
        "squareplus",
        "squareplus(x, b)",
        ("Barron, Squareplus: A Softplus-Like Algebraic Rectifier, arXiv:2112.11687 (2021)",),
        (Constant("b", (0.01, 20.0), "nonnegative", "4"),),
    ),
    Entry(
        "relu_n",
        "clip(x, 0, n)",
        (RELU6,),
        (Constant("n", _POSITIVE, default="6"),),
    ),
    Entry(
        "lerp",
        "(1 - t)*F + t*G",
        (THREAD + " (lerping from an old activation to a new one)",),
        (Constant("t", (0.0, 1.0), assumption="real"),),
    ),
)

ENTRIES = {entry.name: entry for entry in (*FUNCTIONS, *FAMILIES)}
MEMBERS = {member.name: (entry, member) for entry in FAMILIES for member in entry.members if member.name}
