"""The gallery: mathematics, notebooks as pages, neighbours, and what a page of a function holds."""

import json
from collections.abc import Iterable

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup

from analysis.activation import lookup
from gallery import contents, functions, layout, mathematics, neighbours, notebook
from gallery.neighbours import Neighbour

PIXEL = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="


def typeset(text: str) -> BeautifulSoup:
    soup = BeautifulSoup(text, "html.parser")
    mathematics.typeset(soup)
    return soup


def test_latex_between_dollars_becomes_mathml_with_its_text():
    soup = typeset(r"<p>the slope $\frac{2}{5}$ and $$\min_x x\,\sigma(\beta x)$$ of it</p>")
    inline, block = soup.find_all("math")
    assert (inline["alttext"], inline["display"]) == (r"\frac{2}{5}", "inline")
    assert block["display"] == "block"
    assert "β" in block.get_text()
    assert soup.get_text().startswith("the slope 25 and ")
    assert "$" not in soup.get_text()


@pytest.mark.parametrize("text", ["<pre>a $x$ b</pre>", "<code>$x$</code>", "<p>5 $ and 6 $</p>", "<p>just $</p>"])
def test_code_and_sums_of_money_are_left_alone(text):
    assert str(typeset(text)) == text


def test_names_of_functions_keep_their_underscores():
    assert "hard_gate" in typeset(r"<p>$\texttt{hard\_gate}$</p>").math.get_text()


def executed(*cells) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=list(cells))


def shown(data: dict, source: str = "draw()", **metadata) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    return nbformat.v4.new_code_cell(source, outputs=[output], execution_count=1, metadata=metadata)


@pytest.fixture
def page(tmp_path):
    def made(*cells) -> BeautifulSoup:
        path = tmp_path / "01_one.ipynb"
        nbformat.write(executed(*cells), path)
        return BeautifulSoup(notebook.rendered(path), "html.parser")

    return made


def test_a_notebook_becomes_a_page_without_scripts(page):
    soup = page(
        nbformat.v4.new_markdown_cell("# Is $x$ small?\n\nSee [the next](02_two.ipynb#part)."),
        nbformat.v4.new_code_cell("target = 1", metadata={"tags": ["parameters"]}),
        shown({"text/html": f"<img src='{PIXEL}' alt='a curve'/>", "text/plain": "<Drawing>"}),
    )
    assert soup.title.string == "Is $x$ small? · actapprox"
    assert soup.find("meta", {"name": "viewport"})
    assert not soup.find_all(["script", "style"])
    assert [link["href"] for link in soup.main("a")] == ["02_two.html#part"]
    assert soup.main.img["alt"] == "a curve"
    assert soup.details.pre.string == "draw()"
    assert "target = 1" not in str(soup)
    assert "<Drawing>" not in soup.get_text()


def test_a_widget_is_shown_by_its_still_picture(page):
    view = {"model_id": "widget-1", "version_major": 2, "version_minor": 0}
    still = f"<img src='{PIXEL}' alt='still'/>"
    soup = page(shown({"application/vnd.jupyter.widget-view+json": view, "text/html": still}))
    assert soup.img["alt"] == "still"
    assert "model_id" not in str(soup)


def test_a_picture_without_alternative_text_is_refused(page):
    with pytest.raises(ValueError, match="01_one: a picture without an alternative text"):
        page(shown({"text/html": f"<img src='{PIXEL}'/>"}))


# neighbours


def test_the_nearest_are_found_with_few_measurements():
    """Points on a line, with lower bounds that are loose: the answer is that of all pairs."""
    places = {f"p{i}": v for i, v in enumerate(np.random.default_rng(1).uniform(0, 1, 30))}
    names, asked = list(places), []

    def measure(pairs: Iterable[tuple[str, str]]):
        for a, b in pairs:
            asked.append((a, b))
            exact = str(abs(places[a] - places[b]))
            yield (exact, exact), ""

    true = np.array([[abs(places[a] - places[b]) for b in names] for a in names])
    found = neighbours.nearest(names, 0.8 * true, measure, 3)
    for i, name in enumerate(names):
        assert [float(one.distance[1]) for one in found[name]] == sorted(np.delete(true[i], i))[:3]
    assert len(asked) == len(set(asked)) < 30 * 29 / 4


def test_a_function_at_no_finite_distance_is_no_neighbour():
    found = neighbours.nearest(["a", "b"], np.zeros((2, 2)), lambda pairs: [(("inf", "inf"), "") for _ in pairs])
    assert found == {"a": [], "b": []}


def test_lower_bounds_are_below_what_is_certified():
    names = ["mish", "hard_mish", "silu", "relu"]
    least = neighbours.differences([lookup.function(name) for name in names])
    for i, a in enumerate(names):
        for j, b in enumerate(names[:i]):
            (low, high), where = neighbours.measured((a, b))
            assert 0.99 * float(low) < least[i, j] <= float(high) * (1 + 1e-9)
            assert where.startswith("x = ")


# functions, index and tables


def test_the_page_of_a_function_has_card_neighbours_and_code():
    near = [Neighbour("hard_gate(a=4, b=3)", ("0.19", "0.21"), "x = 1"), Neighbour("mish", ("0", "0"), "x = 0")]
    made = functions.rendered(lookup.function("hard_mish"), near, {"c": "a < b;", "numpy": None})
    soup = BeautifulSoup(made, "html.parser")
    assert soup.h1.string == "hard_mish"
    assert "minimum at x = -1.5" in soup.svg["aria-label"]
    rows = [[cell.get_text() for cell in row("td")] for row in soup("table")[-1]("tr")[1:]]
    assert rows == [
        ["hard_gate(a=4, b=3)", "[0.19, 0.21]", "x = 1"],
        ["mish", "0: the same function", "x = 0"],
    ]
    assert soup.find("a", string="hard_gate(a=4, b=3)")["href"] == "hard_gate-a-4-b-3.html"
    assert soup.find("pre", "copy").string == "a < b;"
    assert "NumPy: no code of it can be given." in soup.get_text()


def test_every_function_has_a_file_name_of_its_own():
    names = [function.name for function in functions.catalogue()]
    assert len({layout.slug(name).lower() for name in names}) == len(names) > 30


def test_code_to_copy_runs():
    space: dict = {}
    exec(functions.code(lookup.function("hard_mish"), "numpy"), space)
    kernel = next(value for name, value in space.items() if name.startswith("hard_mish") and callable(value))
    assert kernel(np.float32([-4, -1.5, 3])) == pytest.approx([0, -0.45, 3], abs=1e-6)


def test_the_tables_say_which_record_is_missing(tmp_path):
    soup = BeautifulSoup(contents.tables(tmp_path), "html.parser")
    assert soup.get_text().count("No record yet.") == 4


def test_the_tables_show_the_records():
    soup = BeautifulSoup(contents.tables(contents.RESULTS), "html.parser")
    recorded = json.loads((contents.RESULTS / "optima.json").read_text())
    first = next(e for e in recorded["entries"] if e["target"] == "mish" and e["norm"] == "sup" and not e["round"])
    assert f"a = {first['constants']['a']:.8g}" in soup.get_text()


def test_the_index_leads_to_notebooks_and_functions(tmp_path):
    path = tmp_path / "03_three.ipynb"
    nbformat.write(executed(nbformat.v4.new_markdown_cell("# What is $\\beta$?")), path)
    known = [lookup.function("mish"), lookup.function("silu")]
    soup = BeautifulSoup(contents.index([path], tmp_path, known), "html.parser")
    links = [link["href"] for link in soup.main("a")]
    assert links == ["notebooks/03_three.html", "functions/mish.html", "functions/silu.html"]
    assert all(image["alt"] for image in soup("img"))
    assert "minimum at x = -1.19" in soup.img["alt"]
    assert soup.math["alttext"] == r"\beta"


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    path = layout.write(tmp_path / "deep" / "page.html", "old")
    with pytest.raises(UnicodeEncodeError):
        layout.write(path, "\ud800")
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["page.html"]
