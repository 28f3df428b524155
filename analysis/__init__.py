"""actapprox: how far a cheap activation is from the one it stands in for, and which constants are best.

    >>> from analysis import fit, get, show
    >>> fit("hard_gate", to="mish")

The words are those of the command line. Importing the package imports nothing slow; each word does when first used.
"""

from __future__ import annotations

import importlib

_WORDS = {
    "get": "analysis.activation.lookup",
    "show": "analysis.shown.card",
    "compare": "analysis.rigorous.comparison",
    "prove": "analysis.rigorous.identity",
    "claims": "analysis.ledger.audit",
    "fit": "analysis.optimal.fitting.constants",
    "design": "analysis.optimal.design",
    "frontier": "analysis.optimal.frontier",
    "export": "analysis.deployed.export",
    "Norm": "analysis.rigorous.norms",
    "BadInput": "analysis.activation.errors",
    "Undecided": "analysis.activation.errors",
}

__all__ = list(_WORDS)


def __getattr__(name: str):
    if name not in _WORDS:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(importlib.import_module(_WORDS[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_WORDS]
