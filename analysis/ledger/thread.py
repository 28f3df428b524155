"""Claims of the Mish thread (T1 to T18): what is measured here, hard and smooth gates in files of their own."""

from __future__ import annotations

from functools import partial

from analysis.exact.verdict import Verdict
from analysis.ledger import checks, thread_aptx, thread_hard, thread_moved, thread_neuron, thread_smooth
from analysis.ledger.claim import Claim

POST = "Mish thread, fast.ai forums, the post on approx_mish "

MEASURED: tuple[Claim, ...] = (
    Claim(
        "T16",
        POST + "(lines 6 and 11): 'SWISH should be more efficient to compute than MISH'; 'hard MISH would likely be a "
        "better option' (and line 13: 'cheaper to use ReLU if running inference on a CPU')",
        "Swish is cheaper to compute than Mish; a hard Mish or ReLU is cheaper on a CPU",
        Verdict.MEASURED,
        partial(checks.measured, "T16"),
        "nanoseconds per element, in one interleaved run on this project's CPU",
    ),
    Claim(
        "T17",
        POST + "(line 13): 'The performance of Cuda MISH is only 20% slower than ReLU'",
        "An optimised Mish is about 20 % slower than ReLU",
        Verdict.MEASURED,
        partial(checks.measured, "T17"),
        "the same ratio on a CPU, in float32 and float64; the thread speaks of a GPU",
    ),
    Claim(
        "T18",
        POST + "(line 12): 'it would be possible to change the activation functions for a model after training, by "
        "running some epochs while gradually lerping from the old to the new activation function'",
        "A trained network can be moved to a cheaper activation by epochs in which the activation is interpolated",
        Verdict.MEASURED,
        partial(checks.measured, "T18"),
        "against a sudden swap, a swap with as many epochs, and the cheap activation from the start",
    ),
)


def _number(claim: Claim) -> int:
    return int(claim.id[1:])


CLAIMS: tuple[Claim, ...] = tuple(
    sorted(
        (
            *thread_smooth.CLAIMS,
            *thread_hard.CLAIMS,
            *thread_moved.CLAIMS,
            *thread_aptx.CLAIMS,
            *thread_neuron.CLAIMS,
            *MEASURED,
        ),
        key=_number,
    )
)
