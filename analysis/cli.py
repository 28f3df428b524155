"""The command `actapprox`: the only place that prints, reads or writes a user's files, or exits.

Exit status: 0 answered; 1 the answer is no; 2 bad usage or input, with one line on standard error; 3 UNDECIDED;
130 interrupted. A command that runs out of time, or gives up, answers {"verdict": "UNDECIDED", "reason": ...} alone: on
standard output with --json, and in the file of --out.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shlex
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from analysis.activation.errors import BadInput, OutOfTime, Refused, Undecided

ANSWERED, NO, BAD, UNDECIDED, INTERRUPTED = 0, 1, 2, 3, 130
MEMORY = 800 << 20  # bytes that a command may take, beyond those at its start
GRACE = 2.0  # seconds that the alarm is given to be heard
AGAIN = 0.001  # seconds after which an alarm that came too early or too late is repeated
PATIENCE = 0.05  # seconds between two looks at a command
VERDICTS = {"PROVED": ANSWERED, "REFUTED": NO, "UNDECIDED": UNDECIDED}

Options = Callable[[Callable], Callable]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status; a user's mistake is one line on standard error."""
    try:
        status = command.main(arguments, prog_name="actapprox", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.ClickException as problem:
        return _complain(_one_line(problem.format_message()))
    except BadInput as problem:
        return _complain(str(problem))
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader has gone; keep the interpreter from complaining about it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ANSWERED
    except OSError as problem:
        where = problem.filename or "standard output"
        return _complain(f"{problem.strerror}: {where}" if problem.strerror else _one_line(str(problem)))
    return status if isinstance(status, int) else ANSWERED


def _complain(message: str, status: int = BAD) -> int:
    print(f"actapprox: {message}", file=sys.stderr)
    return status


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _version() -> str:
    try:
        return version("actapprox")
    except PackageNotFoundError:
        return "unknown (not installed)"


# options


def _answer_options(plot: bool = False, timeout: float = 60.0) -> Options:
    options = [
        click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output."),
        click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON to this file."),
        click.option("--timeout", type=click.FloatRange(0, 1e6, min_open=True), default=timeout, show_default=True,
                     help="Seconds after which the answer is UNDECIDED."),
    ]  # fmt: skip
    if plot:
        options.append(
            click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it: .svg, .png or .pdf.")
        )
    return _together(options)


def _together(options: Sequence[Options]) -> Options:
    def decorate(function: Callable) -> Callable:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_NORM_OPTIONS = _together(
    [
        click.option("--norm", help="sup (default), l2, gaussian, grid or samples."),
        click.option("--domain", metavar="LO,HI", help="Where it counts; -inf and inf allowed. Default: all of R."),
        click.option("--sigma", type=float, help="Standard deviation of the inputs, for --norm gaussian. Default: 1."),
        click.option("--grid", metavar="LO,HI,N", help="Mean square over linspace(LO, HI, N)."),
        click.option("--samples", type=click.Path(path_type=Path), help="Mean square over a .npy or .csv file."),
    ]
)


# commands

_EXPRESSIONS = {"ignore_unknown_options": True}  # an expression may begin with a minus


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A function is a catalogue name (mish), a name with constants (swish(beta=2)), an expression in x "
    "(x*tanh(exp(x))), or a .json file that an earlier command wrote.",
)
@click.version_option(_version(), prog_name="actapprox", message="%(prog)s %(version)s")
def command() -> None:
    """Approximations of neural-network activations: exact facts, best constants, identities."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON to this file.")
def list_(as_json: bool, out: Path | None) -> int:
    """What is in the catalogue: name, formula, constants, source.

    Example: actapprox list --json
    """
    from analysis.shown import contents

    return _answer(contents.contents(), as_json, out)


@command.command(context_settings=_EXPRESSIONS)
@click.argument("function")
@click.option("--symbolic", is_flag=True, help="Keep a family's constants free even where it has defaults.")
@click.option("--tol", type=float, default=1e-15, show_default=True, help="Relative width of the enclosures.")
@click.option("--against", metavar="F,G,...", help="The distances to these in three norms; a family may be one.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page with the plot.")
@_answer_options(plot=True)
def show(function: str, symbolic: bool, tol: float, against: str | None, html: Path | None, as_json: bool,
         out: Path | None, plot: Path | None, timeout: float) -> int:  # fmt: skip
    """The exact card of FUNCTION: derivative, kinks and their jumps, extrema, inflections, asymptotes.

    Example: actapprox show "x*tanh(exp(x))"
    """
    with _limited(timeout, as_json):
        from analysis.shown import card

        answer = card.show(_function_text(function), tol=tol, symbolic=symbolic, against=against)
        if html:
            from analysis.shown import page

            _write(html, page.card_page(answer, _again(function, symbolic, tol, against)))
        if plot:
            _draw(plot, "function_plot", answer.record)
        return _answer(answer, as_json, out)
    return UNDECIDED


def _again(function: str, symbolic: bool, tol: float, against: str | None) -> str:
    """The command that makes a page again."""
    options = ["--symbolic"] * symbolic + (["--tol", f"{tol:g}"] if tol != 1e-15 else [])
    beside = [] if against is None else ["--against", against]
    return shlex.join(["actapprox", "show", function, *options, *beside, "--html", "FILE"])


@command.command(context_settings=_EXPRESSIONS)
@click.argument("left", metavar="F")
@click.argument("right", metavar="G")
@click.option("--derivative", type=click.IntRange(0), default=0, metavar="K", help="Compare the K-th derivatives.")
@_NORM_OPTIONS
@click.option("--tol", type=float, default=1e-12, show_default=True, help="Relative width of the enclosure.")
@_answer_options(plot=True)
def compare(left: str, right: str, derivative: int, norm: str | None, domain: str | None, sigma: float | None,
            grid: str | None, samples: Path | None, tol: float, as_json: bool, out: Path | None, plot: Path | None,
            timeout: float) -> int:  # fmt: skip
    """The certified distance between F and G, and the x that attains it. Exit status 0: PROVED; 3: UNDECIDED.

    A derivative is compared where both exist; beside a jump the supremum may be a limit from one side.

    Example: actapprox compare mish hard_mish --derivative 1
    """
    with _limited(timeout, as_json):
        from analysis.rigorous import comparison

        measure = _norm(norm, domain, sigma, grid, samples)
        sides = _function_text(left), _function_text(right)
        answer = comparison.compare(*sides, measure, derivative=derivative, tol=tol)
        if plot:
            _draw(plot, "comparison_plot", answer)
        _answer(answer, as_json, out)
        return VERDICTS[str(answer.verdict)]
    return UNDECIDED


@command.command(context_settings=_EXPRESSIONS)
@click.argument("left")
@click.argument("right")
@click.option("--where", default="", help='Names for subexpressions: "w=..., d=...".')
@click.option("--assume", default="", help='What is known of free constants: "beta>0".')
@_answer_options()
def prove(left: str, right: str, where: str, assume: str, as_json: bool, out: Path | None, timeout: float) -> int:
    """Is LEFT = RIGHT for every real x? Exit status 0: PROVED; 1: REFUTED, with a witness; 3: UNDECIDED.

    It is asked where both sides are defined, and of derivatives where they exist; a proof says what it leaves out.

    Example: actapprox prove "diff(silu)" "sigmoid(x)*(1 + x*sigmoid(-x))"
    """
    with _limited(timeout, as_json):
        from analysis.rigorous.identity import prove as decide

        answer = decide(_function_text(left), _function_text(right), where, assume)
        _answer(answer, as_json, out)
        return VERDICTS[str(answer.verdict)]
    return UNDECIDED


@command.command(context_settings=_EXPRESSIONS)
@click.argument("family")
@click.option("--to", "target", required=True, help="The function to come close to.")
@click.option("--fix", multiple=True, metavar="b=3", help="Give a constant its value.")
@click.option("--tie", multiple=True, metavar="a=2*b", help="Make a constant an expression in the others.")
@click.option(
    "--round",
    "round_",
    metavar="FORMAT",
    help="Best constants of a format: 1/8, dyadic:N, integer, float16, bfloat16 or float32.",
)
@_NORM_OPTIONS
@_answer_options(plot=True)
def fit(family: str, target: str, fix: tuple[str, ...], tie: tuple[str, ...], round_: str | None,
        norm: str | None, domain: str | None, sigma: float | None, grid: str | None, samples: Path | None,
        as_json: bool, out: Path | None, plot: Path | None, timeout: float) -> int:  # fmt: skip
    """The best constants of FAMILY for a target, and the published ones beside them.

    FAMILY is a catalogued family (hard_gate) or an expression with names in it (x*clip(x+b,0,a)/a), whose constants are
    taken to be positive. The error is certified, and in the sup norm a bound is proved that no member beats.

    Example: actapprox fit hard_gate --to mish --round 1/8
    """
    with _limited(timeout, as_json):
        from analysis.activation.parsing import definitions
        from analysis.optimal import constants

        measure = _norm(norm, domain, sigma, grid, samples)
        given = {name: text for part in fix for name, text in definitions(part, "--fix").items()}
        tied = {name: text for part in tie for name, text in definitions(part, "--tie").items()}
        answer = constants.fit(
            _function_text(family), _function_text(target), measure, fix=given, tie=tied, round=round_
        )
        if plot:
            _draw(plot, "fit_plot", answer)
        return _answer(answer, as_json, out)
    return UNDECIDED


@command.command()
@click.argument("ids", nargs=-1, metavar="[ID ...]")
@click.option("--verdict", type=click.Choice(["PROVED", "REFUTED", "UNDECIDED", "MEASURED"], case_sensitive=False),
              help="Only claims whose recorded verdict is this.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes. Default: as many as there are cores.")
@_answer_options(timeout=600.0)
def claims(ids: tuple[str, ...], verdict: str | None, jobs: int | None, as_json: bool, out: Path | None,
           timeout: float) -> int:  # fmt: skip
    """Decides the statements of the ledger; with IDs, shows the evidence too. Exit status 1: not as recorded.

    Each statement of the sources stands with its verdict and the reason, in every reading that is decided apart.

    Example: actapprox claims T5 W6
    """
    with _limited(timeout, as_json):
        from analysis.exact.verdict import Verdict
        from analysis.ledger import audit

        recorded = Verdict(verdict.upper()) if verdict else None
        with _progress(len(audit.chosen(ids, recorded))) as heard:
            answer = audit.claims(ids, verdict=recorded, jobs=jobs or _cores(), heard=heard)
        _answer(answer, as_json, out)
        for decision in answer.disagreeing:
            print(f"actapprox: {audit.disagreement(decision)}", file=sys.stderr)
        return ANSWERED if answer.agrees else NO
    return UNDECIDED


@contextmanager
def _progress(total: int):
    """A bar on standard error, if that is a terminal; what it gives is called with each decision."""
    if not sys.stderr.isatty() or not total:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("claims", total=total)

        def heard(decision) -> None:
            bar.update(task, advance=1, description=f"{decision.claim.id:4}", refresh=True)

        yield heard


def _cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@command.command(context_settings=_EXPRESSIONS)
@click.argument("target")
@click.option("--shape", required=True, help="pwl, pwq, pwq:c0, gate:D, rational:M,N or table:K.")
@click.option("--pieces", type=int, metavar="N", help="So many pieces, the asymptotes counted.")
@click.option("--tolerance", type=float, metavar="E", help="The fewest pieces, or the least degree, that keep E.")
@click.option("--knots", default="free", show_default=True, help="Of pwl: free, uniform, dyadic or float.")
@click.option("--round", "round_", metavar="FORMAT", help="Knots and coefficients of a format, as in fit.")
@_NORM_OPTIONS
@_answer_options(plot=True)
def design(target: str, shape: str, pieces: int | None, tolerance: float | None, knots: str, round_: str | None,
           norm: str | None, domain: str | None, sigma: float | None, grid: str | None, samples: Path | None,
           as_json: bool, out: Path | None, plot: Path | None, timeout: float) -> int:  # fmt: skip
    """The best function of a shape for TARGET, with its certified error. Exit status 1: no tolerance can be kept.

    At an infinite end of the domain the outermost piece is the asymptote exactly.

    Example: actapprox design gelu --shape pwl --tolerance 1e-2
    """
    with _limited(timeout, as_json):
        from analysis.optimal.design import design as best

        measure = _norm(norm, domain, sigma, grid, samples)
        try:
            answer = best(_function_text(target), shape, pieces=pieces, tolerance=tolerance, norm=measure, knots=knots,
                          round=round_)  # fmt: skip
        except Refused as reason:
            print(json.dumps({"verdict": "REFUTED", "reason": str(reason)}) if as_json else f"REFUTED: {reason}")
            return NO
        if plot:
            _draw(plot, "design_plot", answer)
        return _answer(answer, as_json, out)
    return UNDECIDED


@command.command(context_settings=_EXPRESSIONS)
@click.argument("target")
@_NORM_OPTIONS
@_answer_options(plot=True)
def frontier(target: str, norm: str | None, domain: str | None, sigma: float | None, grid: str | None,
             samples: Path | None, as_json: bool, out: Path | None, plot: Path | None,
             timeout: float) -> int:  # fmt: skip
    """Which designs and published functions no other beats in error and in operations, as stand-ins for TARGET.

    Example: actapprox frontier gelu --timeout 300
    """
    with _limited(timeout, as_json):
        from analysis.optimal.frontier import frontier as ranked

        answer = ranked(_function_text(target), norm=_norm(norm, domain, sigma, grid, samples))
        if plot:
            _draw(plot, "frontier_plot", answer)
        return _answer(answer, as_json, out)
    return UNDECIDED


# reading


def _function_text(text: str) -> str:
    """The text itself, or the formula in the result file that it names."""
    if not text.endswith(".json"):
        return text
    try:
        result = json.loads(Path(text).read_text(encoding="utf-8"))
        formula = result["formula"]
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"expected a result of actapprox with a formula in {text}") from None
    if not isinstance(formula, str):
        raise BadInput(f"{text} holds no function: its formula is {formula!r}")
    return formula


def _norm(kind: str | None, domain: str | None, sigma: float | None, grid: str | None, samples: Path | None):
    from analysis.rigorous.norms import KINDS, Norm

    kind = kind or ("grid" if grid else "samples" if samples else "sup")
    if kind not in KINDS:
        raise BadInput(f"expected --norm out of {', '.join(KINDS)}, got {kind!r}")
    for option, value, owner in (
        ("--grid", grid, "grid"),
        ("--samples", samples, "samples"),
        ("--sigma", sigma, "gaussian"),
    ):
        if value is not None and kind != owner:
            raise BadInput(f"expected {option} with --norm {owner}, got it with --norm {kind}")
    if domain is not None and kind in ("grid", "samples"):
        raise BadInput(f"expected no --domain with --norm {kind}, whose points are the domain")
    if kind == "grid":
        low, high, count = _numbers(grid or "", 3, "--grid LO,HI,N")
        if not count.is_integer():
            raise BadInput(f"expected --grid LO,HI,N with a whole N, got {grid}")
        return Norm.grid(low, high, int(count))
    if kind == "samples":
        if samples is None:
            raise BadInput("expected --samples FILE with --norm samples, got none")
        return Norm.samples(_samples(samples), label=f"{samples.name}")
    low, high = _numbers(domain, 2, "--domain LO,HI") if domain else (float("-inf"), float("inf"))
    return Norm(kind, low, high, 1.0 if sigma is None else sigma)


def _numbers(text: str, count: int, expected: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count or any(v != v for v in values):
        raise BadInput(f"expected {expected}, got {text!r}")
    return values


def _samples(path: Path):
    import numpy as np

    try:
        with warnings.catch_warnings(action="ignore"):  # an empty file is refused below, in our words
            if path.suffix == ".npy":
                with path.open("rb") as stream:
                    values = np.load(stream, allow_pickle=False)
            else:
                with path.open(encoding="utf-8") as lines:
                    values = np.loadtxt(lines, delimiter=",", ndmin=1)
        if values.dtype.kind not in "fiu":
            raise ValueError(f"values of type {values.dtype}")
        return np.asarray(values, dtype=float)
    except (ValueError, TypeError, EOFError) as problem:
        raise BadInput(f"expected numbers in {path} (.npy or .csv), got: {_one_line(str(problem))}") from None


# answering


@contextmanager
def _limited(seconds: float, as_json: bool):
    """Ends the work after so many seconds, and turns what is undecided into an answer; the caller then exits with 3.

    An alarm that comes between the work and here, where nobody would catch it, comes again.
    """

    def stop(_signal, frame):
        if frame.f_code.co_name in ("_limited", "_watched", "__enter__", "__exit__"):
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            raise OutOfTime(f"no answer within {seconds:g} s (--timeout)")

    if not seconds > 0:
        raise BadInput(f"expected a positive number of seconds for --timeout, got {seconds}")
    previous = signal.signal(signal.SIGALRM, stop)
    try:
        with _watched(seconds, as_json):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    except (OverflowError, MemoryError) as problem:
        raise BadInput(
            f"expected numbers of moderate size, got {_one_line(str(problem)) or 'too large ones'}"
        ) from None
    except (OutOfTime, Undecided, NotImplementedError, RecursionError) as reason:  # the last two are how sympy gives up
        print(_undecided(_one_line(str(reason)), as_json))
    finally:
        signal.signal(signal.SIGALRM, previous)


def _undecided(reason: str, as_json: bool) -> str:
    """What a command prints that found no answer; the file of --out gets what --json prints."""
    answer = {"verdict": "UNDECIDED", "reason": reason}
    context = click.get_current_context(silent=True)
    if context and (out := context.params.get("out")):
        _write(out, _file_of(answer))
    return json.dumps(answer) if as_json else f"UNDECIDED: {reason}"


def _file_of(answer: dict) -> bytes:
    return (json.dumps(answer, indent=2, allow_nan=False) + "\n").encode()


@contextmanager
def _watched(seconds: float, as_json: bool):
    """Ends the process, with the same answer and status 3, where the alarm is not heard or the memory grows too large.

    Python runs its handlers between bytecodes only, so one long call of a C library would outlast any alarm. A second
    process keeps the time and looks at the memory. The handler that ends this one is the C function _exit: it gets the
    number of the signal as its argument, and that of SIGQUIT is 3. Commands that read samples may take what they need.
    """
    context = click.get_current_context(silent=True)
    most = float("inf") if context and context.params.get("samples") else _memory(os.getpid()) + MEMORY
    library = ctypes.CDLL(None)
    library.signal.argtypes, library.signal.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
    previous = library.signal(signal.SIGQUIT, ctypes.cast(library._exit, ctypes.c_void_p))
    reading, writing = os.pipe()
    with warnings.catch_warnings(action="ignore"):  # of a fork beside threads: the child only waits and writes
        child = os.fork()
    if child == 0:
        try:
            os.close(writing)
            _watch(os.getppid(), reading, seconds, most, as_json)
        finally:
            os._exit(0)
    os.close(reading)
    try:
        yield
    finally:
        os.close(writing)
        os.waitpid(child, 0)
        library.signal(signal.SIGQUIT, previous)


def _watch(process: int, done: int, seconds: float, most: float, as_json: bool) -> None:
    """Waits until the pipe `done` is closed; before that, ends the process once it takes too long or too much."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = time.monotonic() + seconds + GRACE
    reason = ""
    while not reason and not select.select([done], [], [], PATIENCE)[0]:
        if time.monotonic() > end:
            reason = f"no answer within {seconds:g} s (--timeout)"
        elif _memory(process) > most:
            reason = f"no answer within {MEMORY >> 20} MiB of memory"
    if reason:
        try:
            os.write(1, (_undecided(reason, as_json) + "\n").encode())
        finally:
            os.kill(process, signal.SIGQUIT)


def _memory(process: int) -> int:
    """The bytes of memory that the process holds; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _answer(record: Any, as_json: bool, out: Path | None) -> int:
    """Prints the record, and writes its JSON where it was asked for."""
    if out:
        _write(out, _file_of(record.to_dict()))
    if as_json:
        print(json.dumps(record.to_dict(), allow_nan=False))
        return ANSWERED
    from rich.console import Console

    from analysis.shown.terminal import render

    if sys.stdout.isatty():
        Console(highlight=False).print(render(record.sheet()))
    else:  # nothing is wrapped or padded where a program may read it
        console = Console(width=1000, highlight=False, color_system=None)
        with console.capture() as captured:
            console.print(render(record.sheet()))
        print("\n".join(line.rstrip() for line in captured.get().splitlines()))
    return ANSWERED


def _draw(path: Path, how: str, what: Any) -> None:
    formats = ("svg", "png", "pdf")
    if path.suffix[1:] not in formats:
        raise BadInput(f"expected --plot FILE ending in .{', .'.join(formats)}, got {path.name!r}")
    from analysis.shown import designs, figures

    drawn = getattr(figures if hasattr(figures, how) else designs, how)(what)
    _write(path, figures.render(drawn, path.suffix[1:]))


def _write(path: Path, content: bytes) -> None:
    """Writes the file whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


if __name__ == "__main__":
    raise SystemExit(main())
