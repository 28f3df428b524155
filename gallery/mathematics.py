"""LaTeX between dollars, as notebooks and their tables have it, to MathML."""

from __future__ import annotations

import re
from functools import cache

from bs4 import BeautifulSoup, NavigableString, PageElement
from latex2mathml import converter

AS_THEY_ARE = ("pre", "code", "script", "style", "svg", "math", "title")
DOLLARS = re.compile(r"\$\$(.+?)\$\$|\$(?!\s)([^$]+?)(?<!\s)\$", re.DOTALL)


@cache
def mathml(latex: str, display: bool = False) -> str:
    """The MathML element of the LaTeX, which is also its text for those who cannot see it."""
    text = " ".join(latex.split())
    made = converter.convert(text, display="block" if display else "inline")
    soup = BeautifulSoup(made, "html.parser")
    for element in soup.find_all("math"):
        element["alttext"] = text
    for word in soup.find_all("mtext"):
        word.string = word.get_text().replace(r"\_", "_")  # as in names of functions
    return str(soup)


def typeset(soup: BeautifulSoup) -> None:
    """Replace all mathematics in the text of a document; code is left as it is."""
    for text in [t for t in soup.find_all(string=DOLLARS) if not t.find_parent(AS_THEY_ARE)]:
        pieces: list[PageElement] = []
        end = 0
        for found in DOLLARS.finditer(text):
            pieces.append(NavigableString(text[end : found.start()]))
            markup = mathml(found[1] or found[2], bool(found[1]))
            pieces.append(BeautifulSoup(markup, "html.parser").contents[0])
            end = found.end()
        text.replace_with(*pieces, NavigableString(text[end:]))
