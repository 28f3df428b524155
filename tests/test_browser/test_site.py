"""The gallery in a real browser: nothing missing, nothing from outside, nothing wider than a phone."""

import html.parser
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1200, "height": 900}
WIDER = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('table, pre, math, svg'))
    .map(e => e.outerHTML.slice(0, 80))"""
EMPTY = """async () => {
    const images = [...document.images];
    images.forEach(image => { image.loading = 'eager'; });
    await Promise.all(images.map(image => image.decode().catch(() => null)));
    return images.filter(image => !image.naturalWidth).map(image => image.alt);
}"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site() -> Path:
    """What `make site` has built; it is not built here, where it would be that of another Python."""
    folder = Path(os.environ.get("SITE", ROOT / "build" / "site"))
    if not (folder / "index.html").exists():
        pytest.skip(f"there is no gallery at {folder}: run `make site`")
    return folder


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


class Page(html.parser.HTMLParser):
    """The links, anchors and pictures of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.silent: list[str] = []
        self.tags: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.add(tag)
        self.anchors |= {given["id"]} if given.get("id") else set()
        self.links += [given[name] for name in ("href", "src", "xlink:href") if given.get(name)]
        if tag == "img" and not (given.get("alt") or "").strip():
            self.silent.append(str(given)[:80])
        if tag == "svg" and given.get("role") == "img" and not given.get("aria-label", "").strip():
            self.silent.append("svg")


def test_every_link_leads_somewhere_and_every_picture_has_a_text(site):
    read = {path.resolve(): Page(path) for path in pages(site)}
    assert len(read) > 40
    broken = []
    for path, page in read.items():
        assert page.silent == [], path
        assert "script" not in page.tags
        for link in page.links:
            if urlsplit(link).scheme in ("https", "data"):
                continue
            address, anchor = urldefrag(urljoin(path.as_uri(), link))
            there = Path(unquote(urlsplit(address).path))
            if not there.is_file() or (anchor and there in read and unquote(anchor) not in read[there].anchors):
                broken.append((path.name, link))
    assert broken == []


def test_pages_are_reached_from_the_index(site):
    seen, todo = set(), [(site / "index.html").resolve()]
    while todo:
        path = todo.pop()
        seen.add(path)
        links = (unquote(urlsplit(urljoin(path.as_uri(), link)).path) for link in Page(path).links)
        todo += {Path(link) for link in links if link.endswith(".html")} - seen - set(todo)
    assert {path.resolve() for path in pages(site)} <= seen


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])
def test_no_page_complains_overflows_or_asks_the_network(site, browser, size, scheme):
    view = browser.new_page(viewport=size, color_scheme=scheme)
    said, asked = [], []
    view.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("requestfailed", lambda request: said.append(f"{request.url[:100]} failed"))
    view.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    for path in pages(site):
        view.goto(path.resolve().as_uri())
        assert view.evaluate(EMPTY) == [], path
        assert view.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        assert view.evaluate(WIDER) == [], path
    view.close()
    assert (said, asked) == ([], [])


def test_the_checks_see_what_is_wrong(site, browser, tmp_path):
    """A page with a missing picture, something too wide and a script that fails does not pass."""
    bad = tmp_path / "bad.html"
    bad.write_text('<img src="no.png" alt="no"><div style="width:900px">wide</div><script>throw Error("x")</script>')
    view = browser.new_page(viewport=PHONE)
    said = []
    view.on("pageerror", lambda error: said.append(str(error)))
    view.goto(bad.as_uri())
    assert view.evaluate(EMPTY) == ["no"]
    assert len(view.evaluate(WIDER)) == 1
    assert said == ["x"]
    view.close()


def test_code_to_copy_is_what_the_command_exports(site, browser):
    view = browser.new_page(viewport=DESK)
    view.goto((site / "functions" / "hard_mish.html").resolve().as_uri())
    view.locator("summary", has_text="NumPy").click()
    listing = view.locator("pre.copy:visible")
    listing.click()
    chosen = view.evaluate("getSelection().toString()")
    view.close()
    command = [sys.executable, "-c", "import analysis; print(analysis.export('hard_mish', to='numpy').source)"]
    source = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert chosen.split() == source.split()
