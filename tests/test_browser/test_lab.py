"""JupyterLab in a real browser: the explorer follows its sliders and buttons, and every notebook runs to its end."""

import re
from pathlib import Path

import pytest

from tests.test_browser.conftest import until

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser):
    found = browser.new_page(viewport={"width": 1300, "height": 1500})
    found.set_default_timeout(60_000)
    yield found
    found.close()


def test_the_explorer_follows_its_sliders_and_its_button(lab, page):
    lab.opened(page, "10_explorer.ipynb")
    lab.run_all(page)
    picture, says = page.locator("img.widget-image"), page.locator(".widget-html [role=status]")
    picture.wait_for()
    assert "a = 6, b = 3" in says.inner_text()
    before = picture.screenshot()

    handle = page.locator(".widget-slider .noUi-handle").first
    handle.focus()
    for _ in range(5):
        handle.press("ArrowLeft")
    until(lambda: "certified sup distance" in said(says) and "a = 6," not in said(says), "the certified distance")
    a = float(re.search(r"a = ([\d.]+)", said(says))[1])
    assert 5 < a < 6
    moved = picture.screenshot()
    assert moved != before

    page.get_by_role("button", name="best constants").click()
    until(lambda: "a = 5.395489" in said(says) and "certified" in said(says), "the best constants")
    assert "[0.14163217" in said(says)
    assert picture.screenshot() != moved

    page.get_by_role("button", name="code", exact=True).click()
    listing = page.locator(".widget-html pre")
    listing.wait_for()
    assert "5.395489" in listing.inner_text()


def said(says) -> str:
    return says.inner_text()


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_every_notebook_runs_in_jupyterlab(lab, page, notebook):
    lab.opened(page, notebook)
    lab.run_all(page)
    until(lambda: all(cell["execution_count"] for cell in lab.cells(notebook)), "all cells to be saved")
    failed = [o for cell in lab.cells(notebook) for o in cell["outputs"] if o["output_type"] == "error"]
    assert failed == []
    assert list((lab.folder / "figures").glob(f"{notebook[:2]}_*"))
