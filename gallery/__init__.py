"""The gallery: a static site of the executed notebooks, a page for each activation, and the records. `make site`.

It needs no network and no scripts: mathematics is MathML, pictures are SVG within the pages or beside them.
"""
