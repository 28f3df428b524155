"""The claims of the notebook: the record is confirmed, and a perturbed claim gets the opposite verdict."""

from functools import partial

import pytest

from analysis.exact.verdict import Verdict
from analysis.ledger import checks, notebook
from analysis.ledger.checks import SUP
from analysis.ledger.notebook import SPLIT, WITH_RELU
from analysis.ledger.thread_hard import continuous_at
from tests.test_ledger import commands

PROVED, REFUTED, UNDECIDED = Verdict.PROVED, Verdict.REFUTED, Verdict.UNDECIDED


@pytest.mark.parametrize("claim", notebook.CLAIMS, ids=lambda c: f"{c.id} {c.statement} {c.reading}")
def test_the_record_is_confirmed(claim):
    found = claim.check()
    assert found.verdict is claim.recorded, found.reason
    assert found.verdict is not REFUTED or any(e.what == "would hold" for e in found.evidence)
    commands.check(found)


def best() -> str:
    constants = checks.best("hard_gate3", "mish", notebook.GRID).constants
    return f"hard_gate3({', '.join(f'{name}={value!r}' for name, value in constants.items())})"


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (lambda: notebook.minimises(best()), UNDECIDED),
        (partial(notebook.minimises, "hard_gate3(a=4.6, b=2.7, c=4.6)"), REFUTED),
        (partial(continuous_at, 0, [("step(x)", 0)]), REFUTED),
        (partial(notebook.two_sided_slopes, "split_hard_gate(b=3, p=5, q=5)", 0), PROVED),
        (partial(notebook.two_sided_slopes, SPLIT, 1), PROVED),
        (partial(notebook.two_sided_slopes, "hard_gate_relu(a=3, b=3)", 0, 2), PROVED),
        (partial(notebook.nearer_than_unsplit, "split_hard_gate(b=3, p=3, q=3)", SUP), REFUTED),
        (partial(notebook.nearer_than_unsplit, WITH_RELU, notebook.GRID), PROVED),
    ],
)
def test_another_claim_gets_its_own_verdict(check, verdict):
    found = check()
    assert found.verdict is verdict, found.reason
    commands.check(found)
