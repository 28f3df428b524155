"""Figures: what they draw is what the records say, and what is written is whole, the same each time, and described."""

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import mpmath
import numpy as np
import pytest
import sympy as sp
from matplotlib.figure import Figure
from PIL import Image

from analysis.activation import lowering
from analysis.activation.errors import BadInput
from analysis.activation.lookup import function, get
from analysis.exact.placement import placements
from analysis.exact.stationary import stationary
from analysis.optimal.fitting.constants import distance, fit, landscape
from analysis.rigorous.comparison import compare
from analysis.rigorous.norms import Norm
from analysis.shown import canvas, figures, planes, tables, words

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MISH = function("mish")


def drawing(title="A figure"):
    figure, (ax,) = figures.panels(title=title)
    figures.plot_function(ax, MISH, (-2, 2))
    return figure


# writing


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        figures.save(drawing(), "mish", tmp_path / folder, ["svg", "png", "pdf"], "a curve")
    for suffix in ("svg", "png", "pdf"):
        assert (tmp_path / f"one/mish.{suffix}").read_bytes() == (tmp_path / f"two/mish.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_alternative_text_is_in_the_file(tmp_path, suffix):
    alt = 'slope < 0 & "jump" -2/5, β'
    (path,) = figures.save(drawing(), "mish", tmp_path, [suffix], alt).paths
    assert figures.alternative(path) == alt


def test_an_svg_has_a_title_and_nothing_of_the_machine(tmp_path):
    (path,) = figures.save(drawing("Mish & more"), "mish", tmp_path, ["svg"], "a curve").paths
    root = ElementTree.parse(path).getroot()
    assert root.find("{http://www.w3.org/2000/svg}title").text == "Mish & more"
    assert b"<text" not in path.read_bytes()  # glyphs are paths: no font of the reader's is needed
    assert not {"date", "creator"} & {element.tag.rpartition("}")[2] for element in root.iter()}


def test_rounded_coordinates_are_not_seen(monkeypatch, tmp_path):
    numbers = []
    monkeypatch.setattr(canvas, "_shortened", lambda svg: numbers.append(svg) or svg)
    figures.save(drawing(), "mish", tmp_path, ["svg"], "a curve")
    monkeypatch.undo()
    (before,) = numbers
    after = canvas._shortened(before)
    assert len(after) < len(before)

    def values(svg):
        paths = [e.get("d") for e in ElementTree.parse(io.BytesIO(svg)).iter() if e.get("d")]
        return np.array([float(word) for path in paths for word in path.split() if not word.isalpha()])

    assert np.abs(values(after) - values(before)).max() <= 0.005 + 1e-9


@pytest.mark.parametrize(
    ("formats", "alt", "said"),
    [
        (["svg"], " ", "alternative text"),
        (["gif"], "a curve", "svg, png, pdf, got gif"),
        ([], "a curve", "got none"),
    ],
)
def test_a_figure_that_cannot_be_saved_is_refused_before_anything_is_written(tmp_path, formats, alt, said):
    with pytest.raises(BadInput, match=said):
        figures.save(drawing(), "mish", tmp_path / "new", formats, alt)
    assert not (tmp_path / "new").exists()


def test_a_failure_leaves_the_old_figure_and_no_draft(tmp_path, monkeypatch):
    figures.save(drawing(), "mish", tmp_path, ["svg"], "old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        figures.save(drawing(), "mish", tmp_path, ["svg"], "new")
    assert [p.name for p in tmp_path.iterdir()] == ["mish.svg"]
    assert figures.alternative(tmp_path / "mish.svg") == "old"


def test_write_takes_its_format_from_the_suffix_and_its_description_from_the_titles(tmp_path):
    figures.write(figures.function_plot(function("hard_mish")), tmp_path / "h.png")
    assert figures.alternative(tmp_path / "h.png").startswith("hard_mish; the function: ")
    with pytest.raises(BadInput, match="svg, png, pdf"):
        figures.write(drawing(), tmp_path / "h")


def test_a_png_has_a_palette_and_looks_like_what_was_drawn(tmp_path, monkeypatch):
    figures.save(drawing(), "few", tmp_path, ["png"], "a “curve”")
    monkeypatch.setattr(canvas, "_in_few_colours", bytes)
    figures.save(drawing(), "all", tmp_path, ["png"], "a “curve”")
    with Image.open(tmp_path / "few.png") as few, Image.open(tmp_path / "all.png") as every:
        assert few.mode == "P"
        assert few.info["dpi"] == pytest.approx((144, 144), abs=0.1)
        seen = [np.asarray(image.convert("RGB"), float) for image in (few, every)]
        assert seen[0].shape == seen[1].shape
        assert np.sqrt(np.mean((seen[0] - seen[1]) ** 2)) < 2
    assert figures.alternative(tmp_path / "few.png") == "a “curve”"


def test_a_saved_figure_shows_itself_in_a_notebook(tmp_path):
    shown = figures.save(drawing(), "mish", tmp_path, ["png"], 'a "curve"')._repr_html_()
    assert 'alt="a &quot;curve&quot;"' in shown
    assert "data:image/png;base64," in shown


def test_settings_outside_stay_as_they_are_and_do_not_get_in(tmp_path):
    before = dict(mpl.rcParams)
    figures.save(drawing(), "one", tmp_path, ["png"], "a curve")
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 20, "savefig.dpi": 30}):
        figures.save(drawing(), "two", tmp_path, ["png"], "a curve")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_importing_needs_no_display_and_makes_no_pyplot():
    code = "import sys, matplotlib; from analysis.shown import figures; print('matplotlib.pyplot' in sys.modules)"
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "MPLBACKEND")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


# curves and marks


@pytest.mark.parametrize("name", ["mish", "hard_mish", "approx_mish", "selu", "hard_gate_relu(a=7,b=3)"])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_curve_is_the_derivative_and_breaks_exactly_where_it_jumps(name, order):
    f = function(name)
    x, y = figures.trace(f, (-4.25, 3.75), order)
    holes = set(x[np.isnan(y)])
    assert holes == {float(p.x) for p in figures.card(f).breakpoints if p.jumps[order] != 0}
    inside = ~np.isnan(y) & ~np.isin(x, [float(p.x) for p in figures.card(f).breakpoints])
    expected = lowering.evaluator(figures.card(f).derivative)(x[inside]) if order == 1 else None
    if order == 0:
        expected = lowering.evaluator(f.expression)(x[inside])
    if expected is not None:
        np.testing.assert_allclose(y[inside], expected, rtol=1e-12, atol=1e-15)


def test_magnifying_a_kink_returns_its_exact_jump_and_writes_it():
    _, (lower, cap, smooth) = figures.panels(1, 3)
    gate, other = function("hard_mish"), function("hard_gate(a=3,b=3)")
    assert figures.magnify(lower, gate, -3, 0.5) == sp.Rational(-3, 5)
    assert figures.magnify(cap, gate, 2, 0.5) == sp.Rational(-2, 5)
    assert figures.magnify(smooth, other, 0, 0.5) == 0
    assert [ax.get_title(loc="left") for ax in (cap, smooth)] == ["slope jumps by $-2/5$", "slope does not jump"]
    assert cap.get_aspect() == 1  # the angle is the true one


def test_kinks_are_full_where_the_slope_jumps_and_hollow_where_only_the_curvature_does():
    _, (ax,) = figures.panels()
    points = figures.mark_kinks(ax, function("hard_gate(a=3,b=3)"), (-4, 4))
    assert [p.x for p in points] == [-3, 0]
    assert [line.get_markerfacecolor() for line in ax.lines] == ["black", "white"]


def test_minima_are_marked_where_they_are():
    _, (ax,) = figures.panels()
    ((x, y),) = figures.mark_minima(ax, MISH, (-4, 4))
    at = mpmath.findroot(lambda t: mpmath.diff(lambda u: u * mpmath.tanh(mpmath.log1p(mpmath.exp(u))), t), -1)
    assert (x, y) == pytest.approx((float(at), float(at * mpmath.tanh(mpmath.log1p(mpmath.exp(at))))), rel=1e-10)
    assert figures.mark_minima(ax, MISH, (0, 4)) == figures.mark_minima(ax, function("relu"), (-4, 4)) == []


def test_the_fit_plot_draws_the_fit(tmp_path):
    found = fit("swish", "mish", Norm())
    figure = figures.fit_plot(found)
    assert str(found.verdict) in figure.get_suptitle()
    above, below = figure.axes
    best = above.lines[1]
    np.testing.assert_allclose(
        best.get_ydata(), lowering.evaluator(found.activation().expression)(best.get_xdata()), rtol=1e-14
    )
    assert np.abs(below.lines[0].get_ydata()).max() == pytest.approx(found.estimate, rel=1e-3)
    figures.write(figure, tmp_path / "fit.svg")


def test_a_fit_without_a_finite_error_is_not_drawn():
    with pytest.raises(BadInput, match="finite error"):
        figures.fit_plot(fit("swish", "tanh", Norm()))


def test_the_comparison_plot_draws_the_difference_its_bound_and_the_witness(tmp_path):
    found = compare("mish", "hard_mish", derivative=1)
    figure = figures.comparison_plot(found)
    assert "distance 0.506607, sup norm, PROVED" in figure.get_suptitle()
    _, below = figure.axes
    curve, *levels, witness = below.lines
    bound = float(found.distance[1])
    assert np.nanmax(np.abs(curve.get_ydata())) == pytest.approx(bound, rel=1e-9)
    assert np.isnan(curve.get_ydata()).sum() == 2  # hard_mish' jumps twice
    assert [line.get_ydata()[0] for line in levels] == [-bound, bound]
    assert witness.get_xdata()[0] == -3
    assert witness.get_ydata()[0] == pytest.approx(bound, rel=1e-12)
    figures.write(figure, tmp_path / "comparison.svg")


def test_the_comparison_plot_goes_where_the_witness_is_and_draws_no_bound_that_is_not_there():
    far = figures.comparison_plot(compare("relu(x - 20)", "softplus(x - 20)"))
    assert far.axes[1].get_xlim() == (12, 28)
    for norm in (Norm(), Norm("l2")):
        endless = figures.comparison_plot(compare("relu", "leaky_relu", norm))
        assert "infinite" in endless.get_suptitle()
        assert len(endless.axes[1].lines) == 1


# the plane of constants


def test_the_landscape_is_drawn_in_multiples_of_the_best():
    axes = {"a": np.linspace(3, 6, 6), "b": np.linspace(2, 4, 5)}
    table = landscape("hard_gate", "mish", Norm("gaussian"), axes)
    assert table.shape == (5, 6)
    at = float(table[2, 3])
    f = function(f"hard_gate(a={sp.nsimplify(axes['a'][3])}, b={sp.nsimplify(axes['b'][2])})")
    assert at == pytest.approx(distance(f, MISH, Norm("gaussian")), rel=1e-2)
    figure, (ax,) = figures.panels()
    shades = planes.landscape_map(ax, axes, table, float(table.min()), (1, 2, 4, 8))
    planes.colour_bar(figure, shades, [ax], (1, 2, 4, 8), "times the best")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$a$", "$b$")


def test_a_placement_is_drawn_where_it_holds_and_nowhere_else():
    family = get("hard_gate")
    _, (ax,) = figures.panels()
    limits = {"a": (0, 6), "b": (0, 5)}
    for case in placements(stationary(family.expression).minima, "value", sp.Integer(-1)):
        a, b = planes.plot_placement(ax, case, family, limits).get_data()
        shown = ~np.isnan(a)
        assert shown.any()
        below = a[shown] < b[shown] / 2
        values = np.where(below, a[shown] - b[shown], -(b[shown] ** 2) / (4 * a[shown]))
        np.testing.assert_allclose(values, -1, rtol=1e-12)


# words and tables


@pytest.mark.parametrize(
    ("value", "text", "latex"),
    [
        (sp.Rational(14, 5), "2.8", "14/5"),
        (sp.Rational(-1, 3), "-1/3", "-1/3"),
        (sp.Rational("2.84386"), "2.84386", "2.84386"),
        (sp.Rational("0.9290406315256647"), "0.929040…", r"0.929040\ldots"),
        (sp.Rational("-0.9290409315256647"), "-0.929040…", r"-0.929040\ldots"),
        (sp.sqrt(2), "sqrt(2)", r"\sqrt{2}"),
        (sp.Integer(0), "0", "0"),
        (sp.Integer(10), "10", "10"),
    ],
)
def test_numbers_lose_no_digit_silently(value, text, latex):
    assert words.number(value) == text
    assert words.mathematics(value) == latex


def test_labels():
    assert words.label(MISH) == "mish"
    assert words.label(function("hard_gate(a=5,b=14/5)")) == "hard_gate(a=5, b=2.8)"
    assert words.label(function("x*tanh(exp(x))")) == "x*tanh(exp(x))"
    assert words.relu_form(function("hard_mish")) == r"$x\,\mathrm{ReLU5}(x+3)/5$"
    assert words.relu_form(function("hard_gate_relu(a=4,b=3)")).endswith("/4$ | ReLU")


@pytest.mark.parametrize("domain", ["8,-8", "1", "-inf,inf", "a,b", "1,2,3"])
def test_a_domain_that_cannot_be_drawn_is_refused(domain):
    with pytest.raises(BadInput, match="LO,HI"):
        words.span(domain)


def test_the_table_of_kinks_says_when_the_cap_is_smooth():
    lower, cap = tables.kinks(get("hard_gate")).rows
    assert lower[0] == "$- b$"
    assert lower[-1] == "never"
    assert cap[-1] == "$a = b$"


def test_the_table_of_continuity():
    (row,) = tables.continuity([function("hard_gate(a=4,b=3)")], [0, 1]).rows
    assert row == ("hard_gate(a=4, b=3)", "$0$", "$3/4$", "$3/4$", "yes", "$1$", "$5/4$", "$1$", "no: jump $-1/4$")


def test_the_table_of_facts_typesets_in_a_notebook():
    facts = tables.exact_facts([function("hard_mish"), MISH, function("relu")])
    assert "$-2/5$ at $2$" in facts.rows[0][3]
    assert facts.rows[1][2:4] == ("analytic", "none")
    assert facts.rows[1][4].startswith("-1.192431, -0.308843")
    assert facts.rows[2][4] == r"$0$ on $\left(-\infty, 0\right]$"
    assert "<table>" in facts._repr_html_()


def test_estimates_are_called_estimates_and_enclosures_are_rounded_outward():
    assert tables.distances([function("silu")], MISH, [Norm()]).notes == (tables.ESTIMATE,)
    assert tables.enclosed(("0.1234567849", "0.1234567851")) == "[0.12345678, 0.12345679]"
    assert tables.enclosed(("0.1", "inf")) == tables.enclosed(("inf", "inf")) == tables.enclosed(None) == "not yet"
    table = tables.published_and_best([fit("swish", MISH, Norm("gaussian"))])
    assert table.rows[0][-1] == "optimum PROVED"


# the notebooks as stored


def cells(path, kind):
    return [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == kind]


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_stored_notebook_is_prose_around_calls(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["cells"][0]["cell_type"] == "markdown"
    codes = cells(path, "code")
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in codes)
    trees = [ast.parse("".join(c["source"])) for c in codes]
    assert not any(isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda) for t in trees for n in ast.walk(t))
    assert any(isinstance(n, ast.Assert) for t in trees for n in ast.walk(t))
    assert sorted(len(t.body) for t in trees)[len(trees) // 2] <= 4


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_figures_of_a_notebook_carry_its_number_and_are_there_with_a_description(path):
    source = "\n".join("".join(c["source"]) for c in cells(path, "code"))
    calls = [
        n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "save"
    ]
    names = [call.args[1].value for call in calls]
    assert names
    assert all(name.startswith(path.stem[:3]) for name in names)
    for name in names:
        alternatives = {figures.alternative(ROOT / "figures" / f"{name}.{suffix}") for suffix in ("svg", "png")}
        assert len(alternatives) == 1
        assert "" not in alternatives
        with Image.open(ROOT / "figures" / f"{name}.png") as image:
            assert image.width >= 800


def test_figures_are_small_enough_to_be_committed():
    sizes = [p.stat().st_size for p in (ROOT / "figures").glob("*.*")]
    assert max(sizes) < 5e5
    assert sum(sizes) < 5e6


def test_a_figure_is_drawn_once_for_each_format(tmp_path, monkeypatch):
    """A layout engine would have it drawn twice; the second format is laid out as the first."""
    drawn, draw = [], Figure.draw

    def noted(figure, renderer):
        drawn.append(figure.axes[0].get_position().bounds)
        draw(figure, renderer)

    monkeypatch.setattr(Figure, "draw", noted)
    figure, (axes,) = figures.panels(title="A")
    axes.set_ylabel("y")
    figures.save(figure, "a", tmp_path, ["svg", "png", "pdf"], "a line")
    assert len(drawn) == 3
    assert len(set(drawn)) == 1
