"""What all pages have in common: head, navigation, foot; and files written whole or not at all."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

STYLE = Path(__file__).with_name("style.css")
PLACES = {"index.html": "gallery", "tables.html": "tables"}


def page(title: str, inside: str, up: str = "", made: str = "make site") -> str:
    """A whole page; `up` leads to the folder of the index: "" or "../"."""
    links = "".join(f'<a href="{up}{place}">{name}</a>' for place, name in PLACES.items())
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{html.escape(title)} · actapprox</title>
<link rel="icon" href="data:,"/>
<link rel="stylesheet" href="{up}style.css"/>
</head>
<body>
<nav aria-label="site">{links}</nav>
<main>
{inside}
</main>
<footer>Made by <code>{html.escape(made)}</code>. Certified figures are rounded outward; pictures are pictures.</footer>
</body>
</html>
"""


def write(path: Path, content: str | bytes) -> Path:
    """The file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def slug(name: str) -> str:
    """A file name for a function: hard_gate(a=4, b=3) -> hard_gate-a-4-b-3."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")


def picture(source: str, alt: str) -> str:
    return f'<img src="{html.escape(source)}" alt="{html.escape(alt)}" loading="lazy"/>'
