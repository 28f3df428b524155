"""Claims of the notebook that the thread links to (N1, N2): its constants, and the forms split at the origin."""

from __future__ import annotations

from analysis.exact.verdict import Verdict
from analysis.ledger import checks
from analysis.ledger.checks import GAUSSIAN, L2, SUP, Norm, would_hold
from analysis.ledger.claim import Claim, Finding
from analysis.ledger.thread_hard import continuous_at

PLACE = "hard-mish notebook linked from the first post of the Mish thread, "
SEARCH = PLACE + "the search over 100,000 random constants (mean squared error on linspace(-6, 6, 1000))"
SPLITS = PLACE + "the two forms split at x = 0"

GRID = Norm.grid(-6, 6, 1000)
PUBLISHED, ROUNDED = "hard_gate3(a=5, b=2.84386, c=4.99049)", "hard_gate3(a=5, b=3, c=5)"
SPLIT, WITH_RELU = "split_hard_gate(b=3, p=7, q=5)", "hard_gate_relu(a=7, b=3)"
DECIMALS = 5  # as the notebook prints its constants


def minimises(member: str, target: str = "mish", norm: Norm = GRID) -> Finding:
    """Whether no constants of hard_gate3 have a smaller error; refuted by some that have, rounded to be read."""
    constants = ", ".join(f"{k}={v:.{DECIMALS}f}" for k, v in checks.best("hard_gate3", target, norm).constants.items())
    better = f"hard_gate3({constants})"
    ranking = checks.nearest(target, (member, better), norm)
    evidence = tuple(checks.measured_distance(f, target, norm) for f in (member, better))
    if better not in ranking.nearer(member):
        return Finding(
            Verdict.UNDECIDED, f"no constants found are better, none are proved to be worse: {better}", evidence
        )
    share = float(ranking[better][1]) / float(ranking[member][0])
    reason = f"{better} has {share:.3f} times the error of {member}"
    fair = would_hold("among the constants drawn, of which one cannot know which they were without the seed")
    return Finding(Verdict.REFUTED, reason, (*evidence, fair))


def nearer_than_unsplit(f: str, *norms: Norm) -> Finding:
    """Whether no published hard gate without a split is nearer to Mish."""
    return checks.close(f, "mish", checks.published("hard_gate"), "hard gates (that split form among them)", *norms)


def two_sided_slopes(f: str, *places: int) -> Finding:
    """Whether the slope is continuous at the places; if not, what would make it so."""
    found = continuous_at(1, [(f, x) for x in places])
    fair = would_hold("of the value; and of the slope at 0 if the divisors on both sides were the same")
    return found if found.verdict is Verdict.PROVED else Finding(found.verdict, found.reason, (*found.evidence, fair))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "N1",
        SEARCH,
        "The constants (a, b, c) = (5, 2.84386, 4.99049) of x clip(x+b, 0, a)/c minimise the notebook's error for Mish",
        Verdict.REFUTED,
        lambda: minimises(PUBLISHED),
        "over all a, b, c > 0",
    ),
    Claim(
        "N1",
        SEARCH,
        "The rounded constants (a, b, c) = (5, 3, 5) of x clip(x+b, 0, a)/c minimise the notebook's error for Mish",
        Verdict.REFUTED,
        lambda: minimises(ROUNDED),
        "over all a, b, c > 0",
    ),
    Claim(
        "N2",
        SPLITS,
        "x ReLU7(x+3)/7 on x < 0 goes on continuously at 0 and 2 as x ReLU5(x+3)/5, or as ReLU",
        Verdict.PROVED,
        lambda: continuous_at(0, [(f, x) for f in (SPLIT, WITH_RELU) for x in (0, 2)]),
        "in value",
    ),
    Claim(
        "N2",
        SPLITS,
        "x ReLU7(x+3)/7 on x < 0 goes on continuously at 0 and 2 as x ReLU5(x+3)/5",
        Verdict.REFUTED,
        lambda: two_sided_slopes(SPLIT, 0, 2),
        "in slope",
    ),
    Claim(
        "N2",
        SPLITS,
        "x ReLU7(x+3)/7 on x < 0 goes on continuously at 2 as ReLU",
        Verdict.PROVED,
        lambda: two_sided_slopes(WITH_RELU, 2),
        "in slope",
    ),
    Claim(
        "N2",
        SPLITS,
        "x ReLU7(x+3)/7 on x < 0 goes on continuously at 0 as ReLU",
        Verdict.REFUTED,
        lambda: two_sided_slopes(WITH_RELU, 0),
        "in slope",
    ),
    Claim(
        "N2",
        SPLITS,
        "x ReLU7(x+3)/7 on x < 0 with x ReLU5(x+3)/5 on x >= 0 is nearer to Mish than every hard gate without a split",
        Verdict.PROVED,
        lambda: nearer_than_unsplit(SPLIT, SUP, L2, GAUSSIAN),
        "of the published ones, in the sup, L2 and Gaussian norms",
    ),
    Claim(
        "N2",
        SPLITS,
        "x ReLU7(x+3)/7 on x < 0 with ReLU on x >= 0 is nearer to Mish than every hard gate without a split",
        Verdict.PROVED,
        lambda: nearer_than_unsplit(WITH_RELU, SUP, L2),
        "of the published ones, in the sup and L2 norms",
    ),
    Claim(
        "N2",
        SPLITS,
        "x ReLU7(x+3)/7 on x < 0 with ReLU on x >= 0 is nearer to Mish than every hard gate without a split",
        Verdict.REFUTED,
        lambda: nearer_than_unsplit(WITH_RELU, GAUSSIAN),
        "of the published ones, in the Gaussian norm",
    ),
)
