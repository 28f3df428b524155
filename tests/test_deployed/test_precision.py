"""Errors in ulp: the unit, the reference that is proved, the scan of all inputs, and what `precision` answers."""

import json
import math
import random

import jsonschema
import numpy as np
import pytest
from flint import arb, ctx

from analysis.activation import functions, lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.parsing import X
from analysis.deployed import compiled
from analysis.deployed import precision_reference as reference
from analysis.deployed import precision_scan as scanning
from analysis.deployed.implementations import implementation, naive, rounded
from analysis.deployed.precision import measured, precision
from analysis.deployed.precision_found import profile_edges
from analysis.deployed.precision_inputs import decoded, every, sampled
from analysis.deployed.ulp import FORMATS, Exact, error, exponent, spacing
from analysis.shown.schemas import schema

FLOAT32 = FORMATS["float32"]


def has_compiler() -> bool:
    try:
        return bool(compiled.compiler())
    except Undecided:
        return False


NEEDS_COMPILER = pytest.mark.skipif(not has_compiler(), reason="no C compiler")


def expression(name, order=0):
    f = lookup.function(name).expression
    return functions.derivative(f, X) if order else f


# the unit


@pytest.mark.parametrize(
    ("y", "exact", "ulps"),
    [
        (1 + 2.0**-23, 1, 1),
        (1 - 2.0**-24, 1, 0.5),  # the spacing is that at the exact value, the wider one
        (1.0, 1 - arb(2) ** -24, 1),  # and here the narrower
        (2.0**-149, 0, 1),
        (0.0, arb(2) ** -160, 2.0**-11),
        (-1.0, 1, 2.0**24),
        (math.inf, arb(2) ** 128, 0),
        (math.inf, arb(2) ** 900, 0),
        (math.inf, (2 - arb(2) ** -24) * arb(2) ** 127, 0.5),  # the least that rounds to infinity
    ],
)
def test_the_unit_is_the_spacing_at_the_exact_value(y, exact, ulps):
    with ctx.workprec(200):
        assert float(error(y, arb(exact), FLOAT32)) == ulps


@pytest.mark.parametrize(("y", "exact"), [(math.nan, 1), (math.inf, 1), (math.inf, -(arb(2) ** 200)), (-math.inf, 0)])
def test_a_result_that_is_no_number_where_the_value_is_one_has_no_error(y, exact):
    with ctx.workprec(200):
        found = error(y, arb(exact), FLOAT32)
        assert math.isnan(float(found)) or float(found) >= 2.0**23


def test_the_spacing_agrees_with_numpy():
    numbers = sampled(expression("relu"), "float32", FLOAT32, 400)
    for x in numbers[np.abs(numbers) < FLOAT32.largest]:
        assert 2.0 ** spacing(arb(float(x)), FLOAT32) == abs(float(np.spacing(x)))


# the reference


def evaluated(patch, x):
    t, value = (x - patch.centre) * patch.scale, 0.0
    for c in reversed(patch.coefficients):
        value = value * t + c
    return value


@pytest.mark.parametrize(("name", "order"), [("silu", 1), ("gelu", 0), ("hard_swish", 0)])
def test_the_patches_are_all_numbers_and_keep_their_bound(name, order):
    patches = reference.patches(expression(name, order))
    following = 0
    for patch in patches:
        if patch.first == reference.NEGATIVE:
            assert following == reference.LARGEST + 1
            following = patch.first
        assert patch.first == following
        following = patch.last + 1
    assert following == (reference.LARGEST | reference.NEGATIVE) + 1
    assert max(patch.error for patch in patches) <= reference.TARGET
    draw, exact = random.Random(1), Exact(expression(name, order))
    for patch in draw.sample(patches, 100):
        x = reference.number(draw.randint(patch.first, patch.last))
        off = error(evaluated(patch, x), exact(x), FLOAT32)
        assert float(off) <= patch.error
        e = exponent(exact(x))
        assert patch.is_normal == (e is not None and e >= FLOAT32.lowest)


def test_a_reference_that_cannot_be_had_is_undecided(monkeypatch):
    monkeypatch.setattr(reference, "MOST", 20)
    with pytest.raises(Undecided, match="more than 20"):
        reference.patches(expression("x*sin(x)/(1 + x**2)"))


# the scan


def some(name, order=0, most=4):
    """A few short patches of f."""
    found = [p for p in reference.patches(expression(name, order)) if 1 < p.count <= 2**17]
    return found[:: max(1, len(found) // most)][:most]


@NEEDS_COMPILER
def test_the_scan_finds_what_arb_finds():
    f, exact = lookup.function("mish"), Exact(expression("mish"))
    call = implementation("numpy:naive", f, "float32").call
    (patch,) = some("mish", most=1)
    first, _ = patch.cut(patch.first + 500)
    (part,) = scanning.scan(call, [first])
    x = np.array([reference.number(first.first + i) for i in range(first.count)], np.float32)
    errors = [float(error(float(y), exact(float(v)), FLOAT32)) for v, y in zip(x, call(x), strict=True)]
    assert part.most == pytest.approx(max(errors), abs=first.error)
    assert part.sum == pytest.approx(sum(errors), abs=first.error * first.count)
    assert reference.number(part.worst) == x[int(np.argmax(errors))]


@NEEDS_COMPILER
def test_one_input_made_worse_among_all_of_them_is_found():
    patches = some("mish")
    spoilt = patches[2].first + patches[2].count // 3
    sound = implementation("c", lookup.function("mish"), "float32").call
    place = np.float32(reference.number(spoilt))

    def worse(x):
        y = sound(x)
        return np.where(x == place, y + 3 * np.spacing(y), y)

    def most(call):
        return max(scanning.scan(call, patches), key=lambda part: part.most)

    assert most(sound).most < 1
    found = most(worse)
    assert found.worst == spoilt
    assert found.most == pytest.approx(3, abs=0.51)


@NEEDS_COMPILER
def test_an_error_that_is_known_exactly_is_found_exactly():
    patches = [p for p in reference.patches(expression("relu")) if p.count <= 2**23 and p.is_normal][:3]
    parts = scanning.scan(lambda x: np.nextafter(x, np.float32(np.inf)), patches)
    assert [part.most for part in parts] == [1.0] * 3
    assert [part.sum for part in parts] == [patch.count for patch in patches]
    assert all(part.most == 0 for part in scanning.scan(lambda x: x, patches))


@NEEDS_COMPILER
def test_results_that_are_no_numbers_are_counted_apart():
    patches = some("mish", most=2)
    at = np.float32(reference.number(patches[1].first + 7))
    sound = implementation("c", lookup.function("mish"), "float32").call
    for lost in (np.nan, np.inf):
        parts = scanning.scan(lambda x, lost=lost: np.where(x == at, np.float32(lost), sound(x)), patches)
        assert [part.failures for part in parts] == [0, 1]
        assert reference.number(parts[1].failed) == at
        assert parts[1].most < 1


@NEEDS_COMPILER
def test_a_kernel_with_one_constant_off_is_found_out():
    sound = lookup.function("silu")
    off = lookup.function(f"x*sigmoid({1 + 2.0**-22!r}*x)")
    patches = some("silu", most=6)

    def most(f):
        return max(part.most for part in scanning.scan(implementation("c", f, "float32").call, patches))

    assert most(sound) <= 1
    assert most(off) > 1


def test_cutting_loses_nothing_and_begins_at_each_place():
    patches = reference.patches(expression("hard_mish"))
    places = [edge | sign for sign in (0, reference.NEGATIVE) for edge in profile_edges()]
    pieces = scanning.cut(patches, places)
    assert sum(p.count for p in pieces) == sum(p.count for p in patches) == 2 * 0x7F800000
    assert set(places) <= {p.first for p in pieces}


# the answer


@pytest.fixture(scope="module")
def whole():
    return precision("relu", "float16", of="numpy:lowering")


def test_sixteen_bits_are_measured_whole_and_a_sample_proves_nothing(whole):
    assert whole.exhaustive
    assert whole.total.inputs == every("float16").size == 2 * 0x7C00
    assert whole.total.max_ulp == 0
    assert float(whole.enclosure[0]) == float(whole.enclosure[1]) == 0
    part = precision("mish", "float32", of="numpy:lowering", count=500)
    assert not part.exhaustive
    assert part.enclosure[1] == "inf"
    assert sum(zone.inputs for zone in part.zones.values()) == part.total.inputs


def test_what_formulas_lose_is_seen():
    lost = precision("softplus", "float16", of="numpy:naive")
    assert lost.failures
    assert float.fromhex(lost.failed_input) > 11
    mish = precision("mish", "float32", of="numpy:naive", count=2000)
    assert mish.special["-inf"] == {"gives": "nan", "expected": "0x0.0p+0", "right": False}
    assert mish.special["nan"]["right"]
    assert mish.zones["underflow"].max_ulp > 1


@NEEDS_COMPILER
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_our_c_is_within_an_ulp_where_it_is_sampled(order, dtype):
    found = precision("mish", dtype, derivative=bool(order), count=800)
    assert found.total.max_ulp < {"float32": 1, "float64": 2}[dtype]
    assert not found.failures
    assert all(found.special[name]["right"] for name in ("inf", "-inf", "nan"))
    assert set(found.zones) == {"normal", "underflow", "near_zero"}
    assert bool(found.zones["near_zero"].inputs) == bool(order)


def test_bfloat16_is_rounded_to_nearest_with_ties_to_even():
    upper = decoded(np.array([0x3F80, 0x3F81, 0x3F82]), "bfloat16")
    ties = ((upper[:-1].astype(float) + upper[1:]) / 2).astype(np.float32)
    assert list(rounded(ties, "bfloat16")) == [upper[0], upper[2]]
    assert list(rounded(np.nextafter(ties, np.float32(9)), "bfloat16")) == [upper[1], upper[2]]


def test_naive_is_the_formula_as_it_is_typed():
    x = np.linspace(-3, 3, 50, dtype=np.float32)
    assert (naive(expression("mish"))(x) == x * np.tanh(np.log1p(np.exp(x)))).all()


def test_a_header_says_what_was_measured():
    value, slope = (precision("mish", of="numpy:naive", derivative=d, count=300) for d in (False, True))
    said = measured(value, slope)
    assert said.worst_input == value.total.worst_input
    assert value.total.max_ulp <= said.ulp <= value.total.max_ulp * 1.001
    assert said.derivative_worst_input == slope.total.worst_input


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "int8"},
        {"dtype": "float64", "exhaustive": True},
        {"of": "torch:F.__class__"},
        {"of": "rust"},
        {"count": 0},
    ],
)
def test_bad_questions_are_refused(options):
    with pytest.raises((BadInput, Undecided)):
        precision("mish", **options)


def test_without_a_compiler_it_is_undecided(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(Undecided, match="compiler"):
        precision("mish", count=10)


def test_an_answer_keeps_to_its_schema(whole):
    for found in (whole, precision("tanh", of="numpy:lowering", count=200)):
        jsonschema.validate(json.loads(json.dumps(found.to_dict(), allow_nan=False)), schema("precision"))
        assert found.total.worst_input in found.sheet().html()
