"""CUDA C: checked by a compiler where there is one; never run."""

import shutil
import subprocess

import pytest

from analysis import export


def test_nvcc_takes_it(tmp_path):
    if not shutil.which("nvcc"):
        pytest.skip("needs nvcc")
    source = tmp_path / "k.cu"
    cases = (("mish", "float32"), ("gelu", "float64"), ("hard_mish", "float32"))
    source.write_text("\n".join(str(export(f, "cuda", dtype=d, derivative=True).source) for f, d in cases))
    command = ["nvcc", "-std=c++17", "-ptx", str(source), "-o", str(tmp_path / "k.ptx")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert (tmp_path / "k.ptx").read_text().count(".entry") == 12


def test_every_array_function_is_a_kernel():
    text = str(export("mish", "cuda", derivative=True).source)
    for name in ("mish_f32", "mish_f32_derivative", "mish_f32_with_derivative", "mish_f32_backward"):
        assert f'extern "C" __global__ void {name}(' in text
    assert "static inline" not in text
