"""The APTx neuron: its sum, its gradients, its memory, and the package aptx-neuron where that is right."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train (torch)")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from analysis.activation.errors import BadInput  # noqa: E402
from analysis.training.modules import aptx  # noqa: E402
from analysis.training.neuron import APTxLayer, APTxNeuron, mean_square  # noqa: E402

pytestmark = pytest.mark.extras


def moved(inputs, outputs, **options):
    """A layer with every constant away from its start."""
    torch.manual_seed(0)
    layer = APTxLayer(inputs, outputs, **options).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    return layer


def naive(layer, x):
    x = x.unsqueeze(-2)
    return ((layer.alpha + torch.tanh(layer.beta * x)) * layer.gamma * x).sum(-1) + layer.delta


@pytest.mark.parametrize("shape", [(5,), (7, 5), (2, 3, 5), (2, 3, 4, 5), (0, 5)])
@pytest.mark.parametrize("chunk", [1, 40, 10**6])
def test_it_is_the_sum_for_every_leading_shape(shape, chunk):
    layer = moved(5, 6, chunk=chunk)
    x = torch.randn(shape, dtype=torch.float64)
    assert torch.allclose(layer(x), naive(layer, x), atol=1e-12)
    assert layer(x).shape == (*shape[:-1], 6)


def test_gradients():
    layer = moved(3, 4, chunk=10)
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))
    both = [
        torch.autograd.grad(f(x).square().sum(), (x, *layer.parameters())) for f in (layer, lambda x: naive(layer, x))
    ]
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(*both, strict=True))


class Largest(TorchDispatchMode):
    """The most numbers that any tensor has while it watches."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for one in found if isinstance(found, tuple | list) else (found,):
            if isinstance(one, torch.Tensor):
                self.numbers = max(self.numbers, one.numel())
        return found


def test_no_tensor_of_batch_times_outputs_times_inputs_is_built_forward_or_backward():
    batch, inputs, outputs, chunk = 32, 40, 50, 3000
    x = torch.randn(batch, inputs, dtype=torch.float64, requires_grad=True)
    layer = moved(inputs, outputs, chunk=chunk)
    with Largest() as ours:
        layer(x).sum().backward()
    assert ours.numbers <= max(chunk, inputs * outputs)
    with Largest() as theirs:
        naive(layer, x).sum().backward()
    assert theirs.numbers == batch * inputs * outputs


def test_with_one_input_it_is_the_activation_plus_a_constant():
    neuron, activation = APTxNeuron(1), aptx("1", "1", "1/2")
    x = torch.linspace(-4, 4, 41).unsqueeze(-1)
    with torch.no_grad():
        neuron.gamma.fill_(0.5)
        neuron.delta.fill_(0.25)
        assert torch.allclose(neuron(x), activation(x) + 0.25, atol=1e-6)


def test_the_start_keeps_the_mean_square():
    torch.manual_seed(1)
    layer, x = APTxLayer(64, 400), torch.randn(4000, 64)
    assert layer(x).square().mean().item() == pytest.approx(1, rel=0.1)
    assert torch.equal(layer.alpha, torch.ones(400, 64))
    assert ((1 + torch.tanh(x)) * x).square().mean().item() == pytest.approx(mean_square(), rel=0.02)


@pytest.mark.parametrize("shape", [(), (4,), (7, 6), (5, 6)])
def test_another_last_axis_is_a_bad_input_that_says_what_was_expected(shape):
    with pytest.raises(BadInput, match=r"expected an input of shape \(\.\.\., 5\), got"):
        APTxLayer(5, 6)(torch.zeros(shape))


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0), (-1, 2)])
def test_sizes_below_one_are_bad_input(sizes):
    with pytest.raises(BadInput, match="expected positive sizes"):
        APTxLayer(*sizes)


@pytest.fixture
def package():
    return pytest.importorskip("aptx_neuron", reason="needs the package aptx-neuron")


def twin(theirs, ours):
    """Our layer with the constants of theirs."""
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            parameter.copy_(getattr(theirs, name).view_as(parameter))
    return ours


def test_it_is_the_package_on_a_batch_of_vectors(package):
    torch.manual_seed(2)
    x = torch.randn(9, 5)
    theirs = package.aptx_layer(5, 6)
    assert torch.allclose(theirs(x), twin(theirs, APTxLayer(5, 6))(x), atol=1e-5)
    theirs = package.aptx_neuron(5)
    assert torch.allclose(theirs(x), twin(theirs, APTxNeuron(5))(x), atol=1e-5)


def test_the_package_sums_the_wrong_axis_of_a_sequence_without_a_word(package):
    """For x of shape (batch, places, inputs) its neuron adds over places and keeps the axis that it should sum."""
    torch.manual_seed(2)
    x = torch.randn(9, 4, 5)
    theirs = package.aptx_neuron(5)
    terms = (theirs.alpha + torch.tanh(theirs.beta * x)) * theirs.gamma * x
    assert theirs(x).shape == (9, 1, 5)
    assert torch.allclose(theirs(x), terms.sum(dim=1, keepdim=True) + theirs.delta, atol=1e-5)
    ours = twin(theirs, APTxNeuron(5))(x)
    assert ours.shape == (9, 4, 1)
    assert torch.allclose(ours, terms.sum(dim=2, keepdim=True) + theirs.delta, atol=1e-5)
