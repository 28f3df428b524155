"""Exported ONNX models: checked, run in onnxruntime and in the reference evaluator."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra frameworks (onnx)")
runtime = pytest.importorskip("onnxruntime", reason="needs the extra frameworks (onnxruntime)")

from onnx.reference import ReferenceEvaluator  # noqa: E402

from analysis.activation import lookup  # noqa: E402
from analysis.activation.functions import derivative  # noqa: E402
from analysis.activation.lowering import evaluator  # noqa: E402
from analysis.activation.parsing import X  # noqa: E402
from analysis.deployed.export import export  # noqa: E402
from analysis.optimal.design import design  # noqa: E402

pytestmark = pytest.mark.extras

OPERATORS = {
    "mish": "Mish",
    "x*tanh(log(1 + exp(x)))": "Mish",
    "x*(1 - 2/((1 + exp(x))**2 + 1))": "Mish",
    "hard_swish": "HardSwish",
    "x*clip(x/6 + 1/2, 0, 1)": "HardSwish",
    "hard_sigmoid": "HardSigmoid",
    "clip(x/5 + 1/2, 0, 1)": "HardSigmoid",
    "relu": "Relu",
    "max(x, 0)": "Relu",
    "leaky_relu": "LeakyRelu",
    "elu": "Elu",
    "selu": "Selu",
    "celu(alpha=2)": "Celu",
    "sigmoid": "Sigmoid",
    "1/(1 + exp(-x))": "Sigmoid",
    "tanh": "Tanh",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "gelu": "Gelu",
    "gelu_tanh": "Gelu",
}
COMPOSED = ["silu", "hard_mish", "hard_gate(a=6, b=3.0001)", "x*tanh(1.0001*softplus(x))", "quick_gelu", "hard_tanh",
            "beta_mish", "squareplus", "softplus(beta=3)", "approx_mish", "cubic_hard_mish", "x*tanh(exp(x))",
            "aptx(alpha=1, beta=1, gamma=0.5)", "step(x)", "lerp(mish, relu, 1/3)"]  # fmt: skip
RUNS = {
    "onnxruntime": lambda model, x: runtime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(
        None, {"x": x}
    ),
    "reference": lambda model, x: ReferenceEvaluator(onnx.load_from_string(model)).run(None, {"x": x}),
}
POINTS = np.array([-9.25, -4.125, -2.75, -1.1875, -0.375, 0.015625, 0.75, 1.875, 2.625, 3.375, 7.125, 25.0])


def operators(model):
    return [node.op_type for node in onnx.load_from_string(model).graph.node]


@pytest.mark.parametrize("name", OPERATORS)
def test_a_function_that_is_an_operator_is_that_operator(name):
    assert operators(export(name, "onnx").source) == [OPERATORS[name]]


@pytest.mark.parametrize("name", COMPOSED)
def test_a_function_near_an_operator_is_not_that_operator(name):
    assert len(operators(export(name, "onnx").source)) > 1
    assert not set(operators(export(name, "onnx").source)) & {"Mish", "HardSwish", "HardSigmoid", "Gelu", "Softplus"}


@pytest.mark.parametrize("name", [*OPERATORS, *COMPOSED])
@pytest.mark.parametrize("engine", RUNS)
def test_values_and_derivatives(engine, name):
    made = export(name, "onnx", derivative=True, variant="fast")
    x = POINTS.astype(np.float32)
    value, slope = RUNS[engine](made.source, x)
    assert value.dtype == slope.dtype == np.float32
    f = lookup.function(name).expression
    assert value == pytest.approx(evaluator(f)(x), rel=5e-6, abs=1e-6)
    assert slope == pytest.approx(evaluator(derivative(f, X))(x), rel=5e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["mish", "softplus", "hard_mish", "elu", "celu(alpha=0.3)", "beta_mish(beta=0.7)"])
@pytest.mark.parametrize("engine", RUNS)
def test_float64_is_composed_and_as_exact(engine, name):
    made = export(name, "onnx", dtype="float64")
    (value,) = RUNS[engine](made.source, POINTS)
    assert value == pytest.approx(evaluator(lookup.function(name).expression)(POINTS), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("engine", RUNS)
def test_float16_is_float32_rounded_once(engine):
    x = POINTS.astype(np.float16)
    (value,) = RUNS[engine](export("hard_mish", "onnx", dtype="float16").source, x)
    (wide,) = RUNS[engine](export("hard_mish", "onnx", variant="fast").source, x.astype(np.float32))
    assert (value == wide.astype(np.float16)).all()


@pytest.mark.parametrize("name", ["silu", "hard_mish", "x*tanh(exp(x))"])
@pytest.mark.parametrize("engine", RUNS)
def test_the_ends_of_the_format(engine, name):
    x = np.array([-np.inf, -1e30, 1e30, np.inf, np.nan], np.float32)
    with np.errstate(all="ignore"):
        value, slope = RUNS[engine](export(name, "onnx", derivative=True).source, x)
    assert value[:4].tolist() == [0, 0, x[2], np.inf]
    assert slope[:4].tolist() == [0, 0, 1, 1]
    assert np.isnan(value[4])


@pytest.mark.parametrize("engine", RUNS)
def test_a_design_of_many_pieces_is_read_from_a_table(engine):
    made = design("mish", "pwl", pieces=12)
    (value,) = RUNS[engine](export(made, "onnx", name="pieces", dtype="float64").source, POINTS)
    assert value == pytest.approx(evaluator(made.activation.expression)(POINTS), rel=1e-12, abs=1e-14)


def test_the_header_is_in_the_model():
    made = export(design("mish", "pwl", pieces=3), "onnx", name="pieces")
    model = onnx.load_from_string(made.source)
    assert model.doc_string == "\n".join(made.kernel.header())
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts["target"] == "mish"
    assert facts["error"] == str(list(made.kernel.certificate.error))
    assert model.opset_import[0].version >= 18
