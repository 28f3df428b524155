"""Statements about approximations of activations in the documents of libraries and in papers, by topic."""

from __future__ import annotations

from analysis.ledger import documents_gates, documents_gelu, documents_normal, documents_tanh
from analysis.ledger.claim import Claim

CLAIMS: tuple[Claim, ...] = (
    *documents_gelu.CLAIMS,
    *documents_gates.CLAIMS,
    *documents_tanh.CLAIMS,
    *documents_normal.CLAIMS,
)
