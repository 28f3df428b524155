"""Kernels: names, and headers that end no comment."""

import pytest

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.deployed.kernel import Certificate, Kernel, check_name, name_of


@pytest.mark.parametrize(
    ("function", "name"),
    [("mish", "mish"), ("hard_gate(a=5, b=2.8)", "hard_gate_a5_b2p8"), ("x*tanh(exp(x))", "activation")],
)
def test_names(function, name):
    assert name_of(lookup.function(function)) == name


def test_no_line_of_a_header_ends_a_comment():
    made = Certificate("x*/ end \\ \"'", "run\nthis", target="a*/b")
    lines = Kernel(lookup.function("relu"), "relu", "float32", False, "accurate", made).header()
    assert not any("*/" in line or "\n" in line or '"' in line or "\\" in line for line in lines)


@pytest.mark.parametrize("name", ["np", "nn", "torch", "jnp"])
def test_a_name_that_the_text_imports_is_refused(name):
    with pytest.raises(BadInput, match="no language keeps for itself"):
        check_name(name)
