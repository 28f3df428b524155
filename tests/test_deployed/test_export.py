"""The word export: what it refuses, and the certificate that it carries."""

import json

import numpy as np
import pytest

from analysis import BadInput, design, export, fit
from analysis.deployed.kernel import Measured


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "rust"}, "expected a language out of c, cuda"),
        ({"dtype": "float8"}, "expected a dtype out of float32, float64 for c, got 'float8'"),
        ({"variant": "slow"}, "expected a variant out of accurate, fast for c, got 'slow'"),
        ({"name": "float"}, "expected a name that no language keeps for itself"),
        ({"name": "lambda"}, "expected a name that no language keeps for itself"),
        ({"name": "a b"}, "expected a name of at most"),
        ({"name": "a*/"}, "expected a name of at most"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options, message):
    with pytest.raises(BadInput, match=message.replace("*", r"\*")) as told:
        export("mish", **options)
    assert "\n" not in str(told.value)


def test_constants_left_free_are_refused():
    with pytest.raises(BadInput, match="hard_gate is a family"):
        export("hard_gate")


def test_the_header_carries_the_certificate_of_a_fit():
    best = fit("hard_gate", to="mish")
    made = export(best)
    head = str(made.source).split("*/")[0]
    assert all(end in head for end in best.error)
    assert "stands in for: mish on R" in head
    assert made.to_dict()["certificate"]["error"] == list(best.error)


def test_a_stored_answer_is_the_answer():
    found = design("mish", "pwl", pieces=5)
    stored = json.loads(json.dumps(found.to_dict()))
    assert str(export(found, name="f").source).split("*/")[1] == str(export(stored, name="f").source).split("*/")[1]


def test_what_was_measured_stands_in_the_header():
    made = export("relu").with_measured(Measured(0.0, "0x1p+0", 2**32))
    assert "at most 0 ulp in 4294967296 inputs, the most at x = 0x1p+0" in str(made.source)


def test_a_quotient_on_a_domain_is_held_to_it_and_the_header_says_so():
    answer = {
        "target": "mish", "shape": "rational:1,1", "norm": "sup", "domain": ["-1.0", "2.0"],
        "formula": "(x + 1/2)/(x + 3)", "error": ["0.1", "0.2"],
    }  # fmt: skip
    made = export(answer, "numpy", name="f", derivative=True)
    assert "note: outside of the domain the value is that at its nearest end" in str(made.source)
    scope = {}
    exec(made.source, scope)
    x = np.array([-np.inf, -3.0, -1.5, -1.0, 0.0, 2.0, 3.0, np.inf], np.float64)
    inside = np.clip(x, -1, 2)
    assert np.allclose(scope["f"](x), (inside + 0.5) / (inside + 3), rtol=1e-14)
    assert np.array_equal(scope["f_derivative"](x[[0, 1, 2, 6, 7]]), np.zeros(5))


def test_a_numpy_module_is_fast_unless_asked_otherwise():
    assert export("mish", "numpy").kernel.variant == "fast"
    assert export("mish", "c").kernel.variant == "accurate"
