"""Which is best: constants of families, functions of shapes, and the frontier of error and cost."""
