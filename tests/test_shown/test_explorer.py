"""The explorer without a browser: what follows when a widget changes."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.rigorous.comparison import compare
from analysis.shown import explorer, live
from analysis.shown.explorer import Explorer
from analysis.shown.live import LiveFigure


def coded(function, to):
    return SimpleNamespace(source=f"{to} of <{getattr(function, 'family', function)}>")


@pytest.fixture(scope="module")
def shared():
    return Explorer("mish", "hard_gate", export=coded)


@pytest.fixture
def made(shared):
    """At the beginning again: the first published member, hard_swish."""
    shared.target.value = "mish"
    shared.family.value = "hard_gate"
    shared.retarget()
    return shared


def slider(made, name):
    return next(s for s in made.sliders.children if s.description == name)


def test_it_begins_with_a_published_member(made):
    assert made.values() == {"a": 6.0, "b": 3.0}
    low, high = compare("hard_swish", "mish").distance
    assert f"[{low}, {high}]" in made.says.value


def test_a_slider_redraws_and_then_certifies(made):
    before = made.picture.value
    slider(made, "a").value = 5.0
    assert made.picture.value != before
    assert made.values() == {"a": 5.0, "b": 3.0}
    assert f"[{compare('hard_mish', 'mish').distance[0]}" in made.says.value
    assert "x = 2 (slope jumps by -0.4)" in made.says.value
    assert "minimum: -0.45 at x = -1.5" in made.says.value


def test_while_a_slider_moves_only_the_picture_follows(made, monkeypatch):
    monkeypatch.setattr(Explorer, "_later", lambda self: None)
    slider(made, "b").value = 2.5
    assert "read off the picture" in made.says.value
    assert "certified" not in made.says.value
    made.rest()
    assert "certified" in made.says.value


def test_the_picture_never_claims_more_than_the_certificate(made):
    for a in (2.0, 4.5, 9.0):
        slider(made, "a").value = a
        assert made.seen.error <= float(made.comparison.distance[1]) * (1 + 1e-9)
        assert made.seen.error >= float(made.comparison.distance[0]) * 0.99


def test_the_best_constants_are_those_of_the_fit(made):
    made.best()
    assert made.values() == pytest.approx({"a": 5.395489660, "b": 3.043397975}, abs=1e-6)
    assert slider(made, "a").value == 5.4
    assert "[0.14163217" in made.says.value


@pytest.mark.proof
def test_a_browser_that_rounds_a_slider_does_not_move_it(made):
    made.best()
    said = made.says.value
    slider(made, "a").value = 5.4000000000000004
    made.move("a")
    assert made.says.value == said
    slider(made, "a").value = 5.41
    assert made.values()["a"] == 5.41
    assert made.values()["b"] == pytest.approx(3.043397975, abs=1e-6)


def test_code_is_escaped_and_goes_with_the_family(made):
    made.language.value = "torch"
    made.code()
    assert "torch of &lt;hard_gate&gt;" in made.listing.value
    made.language.value = "c"
    assert "c of &lt;" in made.listing.value
    made.family.value = "swish"
    assert made.listing.value == ""


def test_a_bad_target_is_one_line_and_the_curves_stay(made):
    before = made.picture.value
    made.target.value = "mihs"
    assert "did you mean mish" in made.says.value
    assert made.picture.value == before
    assert not made.best_button.disabled


def test_no_best_constants_is_said(made):
    made.family.value = "relu_n"
    assert "sup distance infinite" in made.says.value
    made.best()
    assert "no member" in made.says.value


@pytest.mark.parametrize(
    "family", ["split_hard_gate", *(pytest.param(one, marks=pytest.mark.proof) for one in ("leaky_relu", "gelu_tanh"))]
)
def test_sliders_stand_at_the_constants_however_small_these_are(made, family):
    made.family.value = family
    constants = made.values()
    for child in made.sliders.children:
        assert child.min <= child.value <= child.max
        assert child.value == pytest.approx(constants[child.description], abs=child.step / 2)
    assert "certified" in made.says.value or "infinite" in made.says.value


def test_bad_names_are_refused_at_once():
    with pytest.raises(BadInput, match="unknown activation"):
        Explorer("mihs")
    with pytest.raises(BadInput, match="unknown family"):
        Explorer("mish", "hard_gaet")


def test_a_notebook_gets_the_widgets_and_the_picture_for_where_there_are_none(made):
    bundle = made._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == made.widget.model_id
    assert "certified sup distance" in bundle["text/plain"]
    assert 'alt="hard_gate' in bundle["text/html"]


# the live figure


def figure(family, target="mish"):
    return LiveFigure(lookup.family(family), lookup.function(target))


FEW = ("hard_gate", "relu_n", "split_hard_gate", "swish")


@pytest.mark.parametrize(
    "family", [pytest.param(one, marks=[pytest.mark.proof] * (one not in FEW)) for one in explorer.CHOICES]
)
def test_every_family_can_be_drawn(family):
    drawn = figure(family)
    seen = drawn.move({name: float(value) for name, value in explorer._start(drawn.family).items()})
    assert np.isfinite(seen.error)
    assert drawn.png().startswith(b"\x89PNG")


def test_kinks_and_minimum_are_where_the_exact_card_has_them():
    seen = figure("hard_gate").move({"a": 5, "b": 3})
    assert seen.kinks == ((-3, pytest.approx(-0.6, abs=1e-5)), (2, pytest.approx(-0.4, abs=1e-5)))
    assert seen.minimum == pytest.approx((-1.5, -0.45), abs=1e-5)
    assert figure("swish").move({"beta": 1}).kinks == ()


def test_a_family_whose_breakpoints_cannot_be_ordered_has_its_kinks_all_the_same():
    seen = figure("split_hard_gate").move({"b": 3, "p": 7, "q": 5})
    assert [x for x, _ in seen.kinks] == [-3, 0, 2]
    assert sum(jump for _, jump in seen.kinks) == pytest.approx(
        sum(float(p) for p in (-Fraction(3, 7), Fraction(3, 5) - Fraction(3, 7), -Fraction(2, 5))), abs=1e-4
    )


def test_a_plateau_or_a_value_at_the_end_is_no_minimum():
    assert figure("relu_n").move({"n": 6}).minimum is None
    assert figure("softplus").move({"beta": 1}).minimum is None


def test_only_what_moves_is_drawn_again(monkeypatch):
    drawn = figure("hard_gate")
    drawn.move({"a": 5, "b": 3})
    drawings = []
    monkeypatch.setattr(drawn._canvas, "draw", lambda: drawings.append(1))
    first = drawn.png()
    drawn.move({"a": 5.05, "b": 3})
    second = drawn.png()
    assert drawings == []
    assert first != second
    drawn.move({"a": 5, "b": 3})
    assert drawn.png() == first


def test_a_certified_distance_is_drawn_as_two_lines(tmp_path):
    drawn = figure("hard_gate")
    drawn.move({"a": 5, "b": 3})
    path = tmp_path / "without.png"
    path.write_bytes(drawn.png())
    without = np.asarray(Image.open(path)).astype(int)
    drawn.bound(0.1595)
    path.write_bytes(drawn.png())
    rows = np.flatnonzero((np.asarray(Image.open(path)) != without).any(axis=(1, 2)))
    assert 2 <= len(rows) <= 8
    assert rows[-1] - rows[0] > 20


@pytest.mark.parametrize("size", [1e-7, 0.0999, 0.1, 3.0, 123.0, 0.0, np.inf])
def test_the_axis_of_the_error_has_room_and_few_sizes(size):
    height = live._ladder(size)
    assert height > size or not np.isfinite(size)
    assert float(f"{height:.0e}") == pytest.approx(height)
