"""ONNX: a model of standard operators, or of the one operator that the function is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.lowering import Program, expm1, log1p
from analysis.deployed import onnx_operators, python_code
from analysis.deployed.kernel import Certificate, Kernel
from analysis.deployed.steps import Result, Wanted, entry, form, place

DTYPES = ("float16", "float32", "float64")
VARIANTS = ("accurate", "fast")
OPSET = 20  # the first with Gelu
IR_VERSION = 9  # of that opset's release, which every runtime since then reads
WIDER = {"float16": "float32"}
AT_INFINITY = "one operator of the standard: at infinite inputs it is what the runtime makes of it, which may be nan"
IN_FLOAT32 = (sp.erf, sp.atan, functions.Phi)  # whose operators onnxruntime does not have in float64

# head -> the operator of the same operands
_OPERATORS: dict[Any, str] = {
    "+": "Add",
    "*": "Mul",
    "/": "Div",
    "**": "Pow",
    "sqrt": "Sqrt",
    "where": "Where",
    sp.exp: "Exp",
    sp.log: "Log",
    sp.tanh: "Tanh",
    sp.atan: "Atan",
    sp.sin: "Sin",
    sp.cos: "Cos",
    sp.erf: "Erf",
    sp.Abs: "Abs",
    sp.sign: "Sign",
    sp.Max: "Max",
    sp.Min: "Min",
    sp.Lt: "Less",
    sp.Le: "LessOrEqual",
    sp.Gt: "Greater",
    sp.Ge: "GreaterOrEqual",
    sp.And: "And",
    sp.Or: "Or",
    functions.relu: "Relu",
}


def emit(kernel: Kernel) -> bytes:
    """A ModelProto: input `x` of one dimension and any length, outputs `y` and, if asked for, `derivative`.

    One operator of the standard stands for the function where it is that operator, decided exactly; its attributes are
    float32, so not in float64. Raises BadInput where the package onnx is missing.
    """
    helper = _helper()
    graph = _Graph(kernel)
    if graph.is_single:
        notes = (*kernel.certificate.notes, AT_INFINITY)
        kernel = replace(kernel, certificate=replace(kernel.certificate, notes=notes))
    kind = _kind(kernel.dtype)
    outputs = ["y", *(["derivative"] if kernel.derivative else [])]
    return _model(kernel.name, kernel.header(), kernel.certificate, graph.nodes, graph.constants, kind, outputs, helper)


def model_of_table(name: str, header: list[str], entries: Sequence[int], certificate: Certificate) -> bytes:
    """A ModelProto from int8 to int8 that reads entry x + 128."""
    helper = _helper()
    from onnx import numpy_helper

    constants = [
        numpy_helper.from_array(np.array(entries, np.int8), "table"),
        numpy_helper.from_array(np.array(len(entries) // 2, np.int64), "half"),
    ]
    nodes = [
        helper.make_node("Cast", ["x"], ["wide"], to=_kind("int64")),
        helper.make_node("Add", ["wide", "half"], ["place"]),
        helper.make_node("Gather", ["table", "place"], ["y"]),
    ]
    return _model(name, header, certificate, nodes, constants, _kind("int8"), ["y"], helper)


def _helper():
    try:
        from onnx import helper
    except ImportError:
        raise BadInput("expected the package onnx for --to onnx; install actapprox[frameworks]") from None
    return helper


def _model(name: str, header: list[str], certificate: Certificate, nodes: list[Any], constants: list[Any], kind: int,
           outputs: list[str], helper: Any) -> bytes:  # fmt: skip
    """The checked model of one input x."""
    import onnx

    shape = helper.make_tensor_type_proto(kind, ["N"])
    text = "\n".join(header)
    made = helper.make_graph(
        nodes,
        name,
        [helper.make_value_info("x", shape)],
        [helper.make_value_info(output, shape) for output in outputs],
        constants,
        text,
    )
    model = helper.make_model(
        made,
        producer_name="actapprox",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        doc_string=text,
    )
    facts = {k: v for k, v in certificate.to_dict().items() if v not in (None, [])}
    helper.set_model_props(model, {k: str(v) for k, v in facts.items()})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


class _Graph:
    """The nodes of a kernel, in order, and the constants that they read."""

    def __init__(self, kernel: Kernel):
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.known: dict[tuple[float, str], str] = {}
        single: tuple[str, Any] | None = None if kernel.dtype == "float64" else onnx_operators.single(kernel.expression)
        self.is_single = single is not None
        if single is not None:
            operator, attributes = single
            if kernel.dtype == "float16":
                value = self.node(operator, [self.cast("x", "float32")], **attributes)
                self.node("Cast", [value], "y", to=_kind("float16"))
            else:
                self.node(operator, ["x"], "y", **attributes)
        orders = [*([0] if single is None else []), *([1] if kernel.derivative else [])]
        if orders:
            self.write(kernel, orders)

    def write(self, kernel: Kernel, orders: list[int]) -> None:
        """The outputs of these orders of differentiation, by steps in the type that is computed in."""
        written = form(*(Wanted(kernel.expression, order) for order in orders))
        program = written.program()
        self.dtype = WIDER.get(kernel.dtype, kernel.dtype)
        if kernel.variant == "accurate" and kernel.dtype == "float32":
            is_known = not any(head in IN_FLOAT32 for head, _ in program.instructions)
            self.dtype = "float64" if is_known else "float32"
        inside = "x" if self.dtype == kernel.dtype else self.cast("x", self.dtype)
        for order, value, result in zip(orders, self.run(program, inside), written.results, strict=True):
            ended, name = self.ended(value, result, inside), "derivative" if order else "y"
            if self.dtype == kernel.dtype:
                self.node("Identity", [ended], name)
            else:
                self.node("Cast", [ended], name, to=_kind(kernel.dtype))

    def node(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def cast(self, x: str, dtype: str) -> str:
        return self.node("Cast", [x], to=_kind(dtype))

    def array(self, values: Any, dtype: str) -> str:
        """An initializer."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def constant(self, value: float) -> str:
        key = (value, str(np.copysign(1, value)))
        if key not in self.known:
            self.known[key] = self.array(value, self.dtype)
        return self.known[key]

    def run(self, program: Program, x: str) -> list[str]:
        """The names of the results."""
        names = [x, ""]
        numbers: list[float] = [0.0, 0.0]
        for head, operands in program.instructions:
            is_number = not operands and head not in (sp.true, sp.false)
            numbers.append(python_code.double(head) if is_number else 0.0)
            if operands:
                names.append(self.instruction(head, [names[k] for k in operands], [numbers[k] for k in operands]))
            else:
                names.append(self.constant(numbers[-1]) if is_number else "")
        still = {k for k, (_, operands) in enumerate(program.instructions, 2) if not operands}
        return [self.node("Expand", [names[k], self.node("Shape", [x])]) if k in still else names[k]
                for k in program.results]  # fmt: skip

    def instruction(self, head: Any, names: list[str], numbers: list[float]) -> str:
        if head is place:
            last = self.array([-1], "int64")
            beside = [self.node("Unsqueeze", [names[0], last]), self.array(numbers[1:], self.dtype)]
            at_least = self.node("GreaterOrEqual", beside)
            return self.node("ReduceSum", [self.cast(at_least, "int64"), last], keepdims=0)
        if head is entry:
            return self.node("Gather", [self.array(numbers[1:], self.dtype), names[0]])
        names = [name or self.constant(0.99 * float(np.log(np.finfo(self.dtype).max))) for name in names]
        if head is functions.clip:
            return self.node("Min", [self.node("Max", names[:2]), names[2]])
        if head is functions.step:
            is_above = self.node("GreaterOrEqual", [names[0], self.constant(0)])
            return self.node("Where", [is_above, self.constant(1), self.constant(0)])
        if head is sp.Heaviside:
            above = self.node(
                "Where", [self.node("Greater", [names[0], self.constant(0)]), *map(self.constant, (1, 0))]
            )
            return self.node("Where", [self.node("Equal", [names[0], self.constant(0)]), names[1], above])
        if head is expm1:  # tanh(z/2) (exp(z) + 1), which has no cancellation
            half = self.node("Tanh", [self.node("Mul", [names[0], self.constant(0.5)])])
            return self.node("Mul", [half, self.node("Add", [self.node("Exp", names), self.constant(1)])])
        if head is log1p:  # z log(u)/(u - 1) with u = 1 + z as rounded, whose error cancels
            one = self.constant(1)
            u = self.node("Add", [names[0], one])
            rest = self.node("Sub", [u, one])
            ratio = self.node("Div", [self.node("Log", [u]), rest])
            is_lost = self.node("Equal", [u, one])
            return self.node("Where", [is_lost, names[0], self.node("Mul", [names[0], ratio])])
        if head is functions.Phi:
            inner = self.node("Erf", [self.node("Mul", [names[0], self.constant(np.sqrt(0.5))])])
            return self.node("Mul", [self.node("Add", [inner, self.constant(1)]), self.constant(0.5)])
        if head not in _OPERATORS:
            raise Undecided(f"no operator of ONNX for {getattr(head, '__name__', head)}")
        return self.node(_OPERATORS[head], names)

    def ended(self, value: str, result: Result, x: str) -> str:
        for end, limit in ((-np.inf, result.below), (np.inf, result.above)):
            if limit is not None:
                is_end = self.node("Equal", [x, self.constant(end)])
                value = self.node("Where", [is_end, self.constant(float(limit)), value])
        return value


def _kind(dtype: str) -> int:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
