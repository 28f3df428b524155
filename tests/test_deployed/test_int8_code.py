"""Tables from int8 to int8 in each language, run on all 256 inputs."""

import ctypes
import shutil

import numpy as np
import pytest

from analysis import BadInput
from analysis.activation import lookup
from analysis.deployed.compiled import built
from analysis.deployed.export import export
from analysis.deployed.torch_code import run
from analysis.optimal.shapes.quantised import int8

CODES = np.arange(-128, 128).astype(np.int8)


@pytest.fixture(scope="module")
def table():
    return int8(lookup.function("mish"))


def test_numpy_reads_the_table(table):
    made = export(table, "numpy", name="f")
    assert np.array_equal(run(str(made.source)).f(CODES), table.entries)
    with pytest.raises(TypeError, match="expected an array of int8"):
        run(str(made.source)).f(np.zeros(3))


@pytest.mark.skipif(not any(map(shutil.which, ("gcc", "clang", "cc"))), reason="needs a C compiler")
def test_c_reads_the_table(table):
    made, found = export(table.to_dict(), "c", name="f"), np.empty_like(CODES)
    ctypes.CDLL(str(built(str(made.source)))).f_i8(
        ctypes.c_void_p(CODES.ctypes.data), ctypes.c_void_p(found.ctypes.data), ctypes.c_size_t(CODES.size)
    )
    assert np.array_equal(found, table.entries)


def test_torch_reads_the_table(table):
    torch = pytest.importorskip("torch")
    made = run(str(export(table, "torch", name="f").source))
    assert np.array_equal(made.f(torch.from_numpy(CODES)).numpy(), table.entries)
    assert np.array_equal(made.F()(torch.from_numpy(CODES)).numpy(), table.entries)


def test_jax_reads_the_table(table):
    pytest.importorskip("jax")
    assert np.array_equal(run(str(export(table, "jax", name="f").source)).f(CODES), table.entries)


def test_onnx_reads_the_table(table):
    pytest.importorskip("onnx")
    reference = pytest.importorskip("onnx.reference")
    session = reference.ReferenceEvaluator(__import__("onnx").load_model_from_string(export(table, "onnx").source))
    assert np.array_equal(session.run(None, {"x": CODES})[0], table.entries)


def test_the_header_says_what_codes_stand_for(table):
    text = str(export(table, "c").source)
    assert (
        f"x = {float(table.input_scale)!r} (q {'-' if table.input_zero >= 0 else '+'} {abs(table.input_zero)})" in text
    )
    assert f"in [{table.error[0]}, {table.error[1]}]" in text


@pytest.mark.parametrize("options", [{"derivative": True}, {"variant": "fast"}, {"dtype": "float64"}])
def test_what_a_table_has_not_is_refused(table, options):
    with pytest.raises(BadInput, match="int8 table"):
        export(table, "c", **options)


def test_a_table_without_its_numbers_is_refused(table):
    with pytest.raises(BadInput, match="without its numbers"):
        export({"shape": "table:int8", "target": "mish", "table": [1]}, "c")
