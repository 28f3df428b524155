"""Exported PyTorch code, run: against PyTorch's own functions and its autograd."""

import traceback

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra frameworks (torch)")

from torch.nn import functional as F  # noqa: E402

from analysis.activation.errors import BadInput  # noqa: E402
from analysis.activation.lowering import evaluator  # noqa: E402
from analysis.deployed import torch_code  # noqa: E402
from analysis.deployed.export import export  # noqa: E402
from analysis.optimal.design import design  # noqa: E402

pytestmark = pytest.mark.extras

THEIRS = {
    "mish": F.mish,
    "hard_swish": F.hardswish,
    "hard_sigmoid": F.hardsigmoid,
    "hard_tanh": F.hardtanh,
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "softplus": lambda x: F.softplus(x, threshold=1000),
    "softplus(beta=3)": lambda x: F.softplus(x, beta=3, threshold=1000),
    "celu(alpha=2)": lambda x: F.celu(x, alpha=2),
    "elu": F.elu,
    "selu": F.selu,
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softsign": F.softsign,
}
OTHERS = ["hard_mish", "aptx(alpha=1, beta=0.5, gamma=0.5)", "beta_mish", "beta_mish(beta=0.7)", "squareplus",
          "approx_mish", "split_hard_gate(b=3, p=7, q=5)", "x*tanh(exp(x))", "sin(x)*atan(x)",
          "lerp(mish, relu, 1/3)"]  # fmt: skip


def points(**options):
    """Away from the kinks of what is tested here."""
    x = torch.tensor([-9.3, -4.1, -2.7, -1.19, -0.4, 0.013, 0.7, 1.9, 2.6, 3.4, 7.1, 25.0], dtype=torch.float64)
    return x.requires_grad_(**options) if options else x


@pytest.mark.parametrize("name", THEIRS)
def test_values_and_gradients_are_those_of_pytorch(name):
    ours, theirs, mine = points(requires_grad=True), points(requires_grad=True), torch_code.module(name)()
    found, expected = mine(ours), THEIRS[name](theirs)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-15)
    found.sum().backward()
    expected.sum().backward()
    rtol = 1e-7 if name == "hard_sigmoid" else 1e-11  # theirs is 1/6 in float32 whatever the type
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=rtol, atol=1e-15)


@pytest.mark.parametrize("name", [*THEIRS, *OTHERS])
def test_gradients_and_their_gradients_check(name):
    mine = torch_code.module(name)()
    assert torch.autograd.gradcheck(mine, (points(requires_grad=True),))
    assert torch.autograd.gradgradcheck(mine, (points(requires_grad=True),), atol=1e-4)


@pytest.mark.parametrize("name", ["mish", "gelu", "hard_swish", "elu"])
def test_x_alone_is_kept_for_the_backward_pass(name):
    x, kept = points(requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        torch_code.module(name)()(x)
    assert [t.data_ptr() for t in kept] == [x.data_ptr()]


def test_a_composition_of_operations_keeps_more():
    """So that the test above can fail."""
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        x = points(requires_grad=True)
        x * torch.tanh(torch.log1p(torch.exp(x)))
    assert len(kept) > 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["mish", "gelu", "aptx(alpha=1, beta=1, gamma=0.5)", "softplus"])
def test_half_precision_is_float32_rounded_once(name, dtype):
    mine, x = torch_code.module(name)(), torch.linspace(-20, 20, 400).to(dtype).requires_grad_()
    wide = x.detach().float().requires_grad_()
    mine(x).sum().backward()
    mine(wide).sum().backward()
    assert (mine(x) == mine(wide).to(dtype)).all()
    assert (x.grad == wide.grad.to(dtype)).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["mish", "silu", "gelu", "gelu_tanh", "hard_mish", "aptx(alpha=1, beta=1, gamma=0.5)"])
def test_the_ends_of_the_formats(name, dtype):
    largest = torch.finfo(dtype).max
    x = torch.tensor([-torch.inf, -largest, largest, torch.inf, torch.nan], dtype=dtype, requires_grad=True)
    y = torch_code.module(name)()(x)
    y.sum().backward()
    assert y[:4].tolist() == [0, 0, largest, torch.inf]
    assert x.grad[:4].tolist() == [0, 0, 1, 1]
    assert y[4].isnan()


def test_the_slope_is_not_lost_below_minus_88():
    ours = torch.tensor([-88.9, -95, -100], requires_grad=True)
    theirs = ours.detach().requires_grad_()
    torch_code.module("mish")()(ours).sum().backward()
    F.mish(theirs).sum().backward()
    x = ours.detach().double()
    assert ours.grad.double() == pytest.approx((1 + x) * x.exp(), rel=2e-2)
    assert ((theirs.grad.double() / ((1 + x) * x.exp()) - 1).abs() > 0.5).all()  # what this is about


def test_the_accurate_variant_rounds_once():
    x = torch.linspace(-80, 20, 4001)
    expected = evaluator(export("mish", "torch").kernel.expression)(x.double().numpy())
    found = torch_code.module("mish", variant="accurate")()(x)
    spacing = np.spacing(np.abs(expected).astype(np.float32))
    assert np.max(np.abs(found.double().numpy() - expected) / spacing) <= 0.501


def test_any_shape_and_vmap():
    mine, x = torch_code.module("mish")(), torch.randn(3, 4, 5).transpose(0, 2)
    assert mine(x).shape == x.shape
    assert mine(torch.tensor(1.0)).shape == ()
    assert torch.equal(torch.vmap(torch.func.grad(lambda a: mine(a)))(x.reshape(-1)), slope(mine, x.reshape(-1)))


def slope(mine, x):
    x = x.detach().requires_grad_()
    (found,) = torch.autograd.grad(mine(x).sum(), x)
    return found


@pytest.mark.parametrize("pieces", [3, 24])
def test_designs_by_selection_and_by_table(pieces):
    made = design("mish", "pwl", pieces=pieces)
    mine, x = torch_code.module(made.activation)(), points(requires_grad=True)
    assert mine(x).detach().numpy() == pytest.approx(evaluator(made.activation.expression)(points().numpy()), rel=1e-12)
    assert torch.autograd.gradcheck(mine, (x,))
    ends = torch.tensor([-torch.inf, torch.inf, torch.nan])
    assert mine(ends)[:2].tolist() == [0, torch.inf]
    assert mine(ends)[2].isnan()


@pytest.mark.parametrize(
    ("name", "trainable"),
    [
        ("aptx", ("alpha", "beta", "gamma")),
        ("aptx", ("beta",)),
        ("swish", ("beta",)),
        ("hard_gate", ("a", "b")),
        ("beta_mish", ("beta",)),
        ("gelu_tanh", ("k", "c")),
        ("celu", ("alpha",)),
    ],
)
def test_constants_that_are_trained(name, trainable, float64):
    mine = torch_code.module(name, trainable=trainable)()
    assert [p for p, _ in mine.named_parameters()] == list(trainable)
    inputs = (points(requires_grad=True), *mine.parameters())

    def call(x, *_):
        return mine(x)

    torch.testing.assert_close(
        mine(inputs[0]), torch_code.module(first_member(name))()(inputs[0]), rtol=1e-10, atol=1e-14
    )
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs, atol=1e-4)
    assert mine(torch.tensor([-torch.inf, torch.inf])).isnan().sum() == 0


@pytest.fixture
def float64():
    """Parameters are made in the default type."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def first_member(name):
    from analysis.activation import lookup

    return lookup.family(name).members[0]


def test_trained_constants_may_change_their_sign():
    mine = torch_code.module("swish", trainable=("beta",))(beta=-2.0)
    x = torch.randn(50)
    torch.testing.assert_close(mine(x), x * torch.sigmoid(-2 * x))


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(BadInput, match="expected constants out of beta of swish, got alpha"):
        torch_code.module("swish", trainable=("alpha",))
    with pytest.raises(BadInput, match="expected a member of a family"):
        torch_code.module("mish", trainable=("beta",))


def test_tracebacks_show_the_exported_line():
    with pytest.raises(AttributeError) as raised:
        torch_code.module("mish")()("no tensor")
    assert "if not x.is_floating_point()" in "".join(traceback.format_exception(raised.value))


def test_whole_numbers_are_refused_not_truncated():
    with pytest.raises(TypeError, match="expected a tensor of floating numbers"):
        torch_code.module("mish")()(torch.tensor([1, 2]))


def test_a_function_called_like_its_class_keeps_both():
    names: dict = {}
    exec(export("mish", "torch", name="Mish").source, names)
    x = torch.randn(9)
    torch.testing.assert_close(names["Mish"](x), names["MishModule"]()(x))


@pytest.mark.parametrize("name", ["mish", "hard_mish"])
def test_compiled(name):
    mine, x = torch_code.module(name)(), torch.randn(1000)
    compiled = torch.compile(mine, fullgraph=True)
    torch.testing.assert_close(compiled(x), mine(x), rtol=2e-6, atol=1e-7)
    torch.testing.assert_close(slope(compiled, x), slope(mine, x), rtol=1e-5, atol=1e-6)
