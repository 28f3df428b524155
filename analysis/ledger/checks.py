"""What checks are made of: certified distances and their ranking, exact jumps, minima, identities, and quoted commands.

Each is exact or an enclosure of this run; where two enclosures overlap the answer is Undecided, never a guess.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import sympy as sp
from flint import ctx

from analysis.activation import lookup
from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.exact import breakpoints
from analysis.exact.normal import sign
from analysis.exact.pieces import Piece, pieces
from analysis.exact.stationary import stationary_of
from analysis.exact.verdict import Verdict
from analysis.ledger.claim import Evidence, Finding
from analysis.optimal.fitting import constants
from analysis.optimal.fitting.fitted import Fit
from analysis.rigorous import balls, comparison, roots
from analysis.rigorous import identity as identities
from analysis.rigorous.balls import Pair
from analysis.rigorous.comparison import Comparison
from analysis.rigorous.norms import Norm

SUP, L2, GAUSSIAN = Norm(), Norm("l2"), Norm("gaussian")
PACKAGE = Path(__file__).resolve().parents[1]
# an installed package brings the records along; in a checkout they lie beside it
INSTALLED, RECORDED = PACKAGE / "results", PACKAGE.parent / "results"
RESULTS = INSTALLED if INSTALLED.is_dir() else RECORDED


# what a finding says


def decided(holds: bool, yes: str, no: str, *evidence: Evidence) -> Finding:
    """PROVED with the reason `yes`, or REFUTED with the reason `no`."""
    return Finding(Verdict.PROVED if holds else Verdict.REFUTED, yes if holds else no, evidence)


def would_hold(how: str) -> Evidence:
    """Under which reading a refuted statement holds, or what is right in its place."""
    return Evidence("would hold", how)


def negated(finding: Finding) -> Finding:
    """The finding of the opposite statement, with the same reason and evidence."""
    opposite = {Verdict.PROVED: Verdict.REFUTED, Verdict.REFUTED: Verdict.PROVED}
    return replace(finding, verdict=opposite.get(finding.verdict, finding.verdict))


def command(*words: str) -> str:
    """`actapprox` with these words, as one types it in a shell."""
    return shlex.join(("actapprox", *words))


def in_norm(norm: Norm) -> tuple[str, ...]:
    """The options of a command that choose the norm."""
    kind = () if norm.kind == "sup" else ("--norm", norm.kind)
    if norm.kind == "grid":
        return "--grid", f"{norm.lower:g},{norm.upper:g},{len(norm.points)}"  # type: ignore[arg-type]
    whole = math.isinf(norm.lower) and math.isinf(norm.upper)
    return kind if whole else (*kind, "--domain", f"{norm.lower:g},{norm.upper:g}")


def enclosed(pair: Pair) -> str:
    """A pair as evidence: one number where both ends agree, else an interval."""
    return pair[0] if pair[0] == pair[1] else f"in [{pair[0]}, {pair[1]}]"


def short(pair: Pair, digits: int = 4) -> str:
    """The upper end in a few digits, to be read beside the enclosure."""
    return f"{float(pair[1]):.{digits}g}"


def below(one: Pair, other: Pair) -> bool:
    """Whether the first enclosed number is the smaller; Undecided where the enclosures overlap."""
    if Decimal(one[1]) < Decimal(other[0]):
        return True
    if Decimal(one[0]) >= Decimal(other[1]):
        return False
    raise Undecided(f"which is smaller, {enclosed(one)} or {enclosed(other)}")


def rounds_to(pair: Pair, stated: str) -> bool:
    """Whether the enclosed number is the stated decimal, to half a unit of its last digit."""
    exact = Decimal(stated)
    half = Decimal(5).scaleb(int(exact.as_tuple().exponent) - 1)
    low, high = (Decimal(end) for end in pair)
    if exact - half <= low and high <= exact + half:
        return True
    if high < exact - half or low > exact + half:
        return False
    raise Undecided(f"whether {enclosed(pair)} rounds to {stated}")


def pair_of(value: sp.Expr, digits: int = 15) -> Pair:
    """An exact constant as two decimals, rounded outward."""
    with ctx.workprec(int(3.4 * digits) + 64):
        return balls.decimals_of(sp.sympify(value), digits)


# how far


@cache
def read(f: str) -> Activation:
    """The function of that name or expression, read once: a check asks for the same ones again and again."""
    return lookup.function(f)


@cache
def distance(f: str, g: str, norm: Norm = SUP, derivative: int = 0) -> Comparison:
    """The certified distance between f and g; raises Undecided where none is found."""
    found = comparison.compare(read(f), read(g), norm, derivative=derivative)
    if found.verdict is not Verdict.PROVED:
        raise Undecided(f"the distance between {f} and {g} ({found.reason})")
    return found


def measured_distance(f: str, g: str, norm: Norm = SUP) -> Evidence:
    """The certified distance as evidence, with the point that attains it, and the command that shows it again."""
    found = distance(f, g, norm)
    value = "infinite" if found.distance == comparison.INFINITE else enclosed(found.distance)
    where = f", attained at {found.witness.text()}" if found.witness and value != "infinite" else ""
    return Evidence(f"distance of {f} to {g}, {norm}", value + where, command("compare", f, g, *in_norm(norm)))


@cache
def best(family: str, to: str, norm: Norm = SUP) -> Fit:
    """The fit of a family; its `optimum` holds the proved lower bound on every member."""
    return constants.fit(family, to, norm)


def best_known(family: str, to: str, norm: Norm = SUP) -> Evidence:
    """The best constants of a family as evidence, with the certified error and the bound below which no member is."""
    found = best(family, to, norm)
    values = ", ".join(f"{name} = {value:.8g}" for name, value in found.constants.items())
    error = found.error or comparison.UNKNOWN
    text = f"{values}: error {enclosed(error)}; no member is below {found.optimum.lower:.12g}"
    return Evidence(f"best {family} for {to}, {norm}", text, command("fit", family, "--to", to, *in_norm(norm)))


def published(*families: str) -> tuple[str, ...]:
    """The names of the published members of these families."""
    return tuple(member.name for family in families for member in lookup.family(family).members)


@dataclass(frozen=True)
class Ranking:
    """Functions with their certified distances to the target, the nearest first.

    Where two enclosures overlap, at a relative width of 1e-12, the functions are level: neither is called nearer.
    """

    target: str
    norm: Norm
    places: tuple[tuple[str, Pair], ...]

    def __getitem__(self, name: str) -> Pair:
        return dict(self.places)[name]

    def nearer(self, name: str) -> tuple[str, ...]:
        """What is certainly nearer to the target than this one."""
        return tuple(other for other, pair in self.places if _apart(pair, self[name]))

    def farther(self, name: str) -> tuple[str, ...]:
        """What is certainly farther from the target than this one."""
        return tuple(other for other, pair in self.places if _apart(self[name], pair))

    def rank(self, name: str) -> int:
        return 1 + len(self.nearer(name))

    def __str__(self) -> str:
        return ", ".join(
            f"{f} {'infinite' if pair == comparison.INFINITE else short(pair, 6)}" for f, pair in self.places
        )


def _apart(nearer: Pair, farther: Pair) -> bool:
    return Decimal(nearer[1]) < Decimal(farther[0])


def nearest(target: str, names: Sequence[str], norm: Norm = SUP) -> Ranking:
    """The functions ranked by their certified distances."""
    found = [(name, distance(name, target, norm).distance) for name in dict.fromkeys(names)]
    return Ranking(target, norm, tuple(sorted(found, key=lambda place: Decimal(place[1][0]))))


def close(name: str, target: str, names: Sequence[str], kind: str, *norms: Norm) -> Finding:
    """Decides "close" by the criterion that none of the published functions of the same cost is nearer, in any norm.

    `kind` says in the plural what the functions are: "hard gates". Without norms it is the sup norm.
    """
    norms = norms or (SUP,)
    rankings = [nearest(target, (name, *names), norm) for norm in norms]
    evidence: list[Evidence] = []
    for ranking in rankings:
        others = ranking.nearer(name)[:1] or ranking.farther(name)[:1]
        evidence += [measured_distance(f, target, ranking.norm) for f in (name, *others)]
        evidence.append(Evidence(f"published {kind}, the nearest first, {ranking.norm}", str(ranking)))
    beaten = [ranking for ranking in rankings if ranking.nearer(name)]
    if beaten:
        reason = "; ".join(_beaten(ranking, name, kind) for ranking in beaten)
        beside = {str(ranking.norm): ", ".join(ranking.farther(name)) for ranking in rankings}
        against = "; ".join(f"against {farther} ({norm})" for norm, farther in beside.items() if farther)
        fair = (would_hold(against),) if against else ()
        return Finding(Verdict.REFUTED, reason, (*evidence, *fair))
    own = ", ".join(f"{short(ranking[name])} ({ranking.norm.kind})" for ranking in rankings)
    reason = f"{name} is {own} from {target}, and of the {len(rankings[0].places)} published {kind} none is nearer"
    return Finding(Verdict.PROVED, reason, tuple(evidence))


def _beaten(ranking: Ranking, name: str, kind: str) -> str:
    first = ranking.nearer(name)[0]
    place = f"number {ranking.rank(name)} of {len(ranking.places)} published {kind}"
    values = f"{short(ranking[name])} from {ranking.target}, {first} {short(ranking[first])}"
    return f"{name} is {place} ({ranking.norm}): {values}"


# exactly


def identity(left: str, right: str, where: str = "", assume: str = "") -> Finding:
    """What `prove` finds: PROVED, REFUTED with the witness, or UNDECIDED."""
    found = identities.prove(left, right, where, assume)
    words = ["prove", left, right, *(("--where", where) if where else ()), *(("--assume", assume) if assume else ())]
    again = command(*words)
    if found.witness is None:
        return Finding(found.verdict, found.method, (Evidence(f"{left} = {right}", str(found.verdict), again),))
    at = ", ".join(f"{name} = {value}" for name, value in {"x": found.witness.x, **found.witness.constants}.items())
    sides = f"left {enclosed(found.witness.left)}, right {enclosed(found.witness.right)}"
    return Finding(found.verdict, f"{found.method}: at {at} the sides differ", (Evidence(f"at {at}", sides, again),))


@cache
def beside(f: str, x: sp.Expr | int, order: int = 0) -> tuple[sp.Expr, sp.Expr]:
    """The derivative of that order at x, exactly, from the left and from the right."""
    at = sp.sympify(x)
    found = pieces(read(f).expression)
    left = next(piece for piece in found if sign(at - piece.lower) > 0 and sign(piece.upper - at) >= 0)
    right = next(piece for piece in found if sign(at - piece.lower) >= 0 and sign(piece.upper - at) > 0)
    low, high = (breakpoints.value_at(sp.diff(piece.expression, X, order), X, at) for piece in (left, right))
    return sp.simplify(low), sp.simplify(high)


def jump(f: str, x: sp.Expr | int, order: int = 0) -> sp.Expr:
    """The jump of the derivative of that order at x, exactly: right minus left, zero where it is continuous."""
    left, right = beside(f, x, order)
    return sp.simplify(right - left)


def jumps(f: str, x: sp.Expr | int) -> Evidence:
    """The values, slopes and curvatures on both sides of x as evidence."""
    parts = []
    for order, name in enumerate(("f", "f'", "f''")):
        left, right = beside(f, x, order)
        parts.append(f"{name} {left}" if left == right else f"{name} from {left} to {right}, a jump of {right - left}")
    return Evidence(f"{f} at x = {x}", "; ".join(parts), command("show", f))


@dataclass(frozen=True)
class Minimum:
    """The only minimum of a function on R; `exact` is its (x, value) where both are known."""

    x: Pair
    value: Pair
    exact: tuple[sp.Expr, sp.Expr] | None = None


@cache
def minimum(f: str) -> Minimum:
    """The only local minimum of f on R, enclosed; Undecided where it is not shown that there is exactly one."""
    found = pieces(read(f).expression)
    points = stationary_of(found)
    minima = [Minimum(pair_of(p.x), pair_of(p.value), (p.x, p.value)) for p in points.minima if p.x.is_real]
    for equation in (e for e in points.equations if e.order == 1):
        piece = next(p for p in found if (p.lower, p.upper) == (equation.lower, equation.upper))
        minima += _enclosed_minima(piece, equation.factor)
    if len(minima) != 1 or len(minima) < len(points.minima):
        raise Undecided(f"the minimum of {f}, of which {len(minima)} are known")
    return minima[0]


def _enclosed_minima(piece: Piece, factor: sp.Expr) -> list[Minimum]:
    slope = sp.diff(piece.expression, X)
    changes = roots.sign_changes(slope, piece.lower, piece.upper)
    isolated = roots.isolated(factor, piece.lower, piece.upper)
    if isolated is None or not all(any(one.overlaps(root.x) for root in changes) for one in isolated):
        raise Undecided(f"whether all zeros of {factor} are known")
    with ctx.workprec(balls.PRECISION):
        value = balls.evaluator(piece.expression)
        return [Minimum(balls.decimals(r.x), balls.decimals(value(r.x))) for r in changes if r.rising]


def at_minimum(f: str) -> Evidence:
    """The minimum as evidence."""
    found = minimum(f)
    exact = f" (x = {found.exact[0]}, value {found.exact[1]})" if found.exact else ""
    return Evidence(
        f"minimum of {f}", f"x {enclosed(found.x)}, value {enclosed(found.value)}{exact}", command("show", f)
    )


# recorded measurements


def measured(claim: str, results: Path = RESULTS) -> Finding:
    """MEASURED with what a record in results/ says of the claim; UNDECIDED until one does.

    A record says it under the key "claims": {id: {"reason": one line, "evidence": [{"what", "value", "command"}]}}.
    """
    for path in sorted(results.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        said = record.get("claims", {}).get(claim)
        if said:
            evidence = tuple(Evidence(**item) for item in said.get("evidence", ()))
            source = Evidence("recorded in", f"results/{path.name}, by `{record.get('command', 'unknown')}`")
            return Finding(Verdict.MEASURED, said["reason"], (*evidence, source))
    return Finding(Verdict.UNDECIDED, "not measured yet: no record in results/ speaks of it")
