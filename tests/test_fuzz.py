"""Nothing that a user types runs, hangs, ends in a traceback or takes a gigabyte; what is answered is right.

A child process reads the texts, so that its memory can be measured and a hang ended. `slow` reads 100,000 of them.
"""

import contextlib
import io
import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests import hostile

ROOT = Path(__file__).resolve().parents[1]
GIB = 1 << 30
LONGEST = 10.0  # seconds of the processor for one text to be read
TIMEOUT = 2  # seconds for a command
LATE = 4.0  # seconds that a command may take beyond its timeout: to be stopped, and to import


def read(seed: int, count: int, canary: str) -> dict:
    """Reads `count` texts, and says how it went; what must not happen is under "wrong"."""
    from analysis.activation import lookup
    from analysis.activation.errors import BadInput, Undecided

    random = Random(seed)
    wrong, longest, refused = [], (0.0, ""), 0
    readers = (lookup.get, lookup.expression, lookup.family)
    for i in range(count):
        text = hostile.hostile(random).replace(hostile.PAYLOAD, canary)
        reader = readers[i % 3]
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        try:
            reader(text)
        except BadInput as problem:
            refused += 1
            if not str(problem).isprintable() or len(str(problem)) > 1000:
                wrong.append((text[:300], f"a message that is not one short line: {problem!a}"))
        except Undecided:
            refused += 1
        except (Exception, TimeoutError) as problem:
            wrong.append((text[:300], f"{type(problem).__name__}: {problem}"[:200]))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        longest = max(longest, (time.process_time() - started, text[:200]))
    return {"wrong": wrong, "longest": longest, "refused": refused}


def command(seed: int, count: int, canary: str) -> dict:
    """Calls `show` and `prove` on texts, half of them valid ones."""
    import analysis.rigorous.identity
    import analysis.shown.card  # noqa: F401  an import that the alarm breaks off would leave half a module for the next
    from analysis import cli

    random = Random(seed)
    wrong, longest, statuses = [], (0.0, ""), {}
    for i in range(count):
        texts = [hostile.valid(random, 5) if random.random() < 0.5 else hostile.hostile(random) for _ in range(2)]
        texts = [text.replace(hostile.PAYLOAD, canary) for text in texts]
        arguments = ["show", texts[0]] if i % 2 else ["prove", *texts]
        out, err = io.StringIO(), io.StringIO()
        started = time.monotonic()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = cli.main([*arguments, "--json", "--timeout", str(TIMEOUT)])
            if status not in (0, 1, 2, 3):
                wrong.append((arguments, f"status {status}"))
            if (status == 2) != (out.getvalue() == ""):
                wrong.append((arguments, f"status {status} with {out.getvalue()[:100]!r}, {err.getvalue()[:100]!r}"))
            statuses[status] = statuses.get(status, 0) + 1
        except BaseException as problem:
            wrong.append((arguments, f"{type(problem).__name__}: {problem}"[:300]))
        seconds = time.monotonic() - started
        longest = max(longest, (seconds, str(arguments)[:300]))
        if seconds > TIMEOUT + LATE:
            wrong.append((arguments, f"{seconds:.1f} s"))
    return {"wrong": wrong, "longest": longest, "statuses": statuses}


def child(what: str, seed: str, count: str, canary: str) -> None:
    signal.signal(signal.SIGPROF, _late)
    found = {"read": read, "command": command}[what](int(seed), int(count), canary)
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found))


def _late(*_):
    raise TimeoutError("too slow")


def fuzz(what: str, seed: int, count: int, folder: Path, limit: float) -> dict:
    canary = folder / "canary"
    call = [sys.executable, "-m", "tests.test_fuzz", what, str(seed), str(count), str(canary)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"{what} {count}, seed {seed}: { ({k: v for k, v in found.items() if k != 'wrong'}) }")
    assert found["wrong"] == []
    assert not canary.exists(), "something ran"
    assert list(folder.iterdir()) == []
    assert found["memory"] < GIB
    return found


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.proof)])
def test_hostile_texts_are_read_or_refused(tmp_path, count):
    found = fuzz("read", 1, count, tmp_path, 120)
    assert found["longest"][0] < LONGEST
    assert 0.5 * count < found["refused"] < 0.95 * count  # both kinds are met


@pytest.mark.parametrize("count", [3, pytest.param(12, marks=pytest.mark.proof)])
def test_hostile_texts_given_to_the_command(tmp_path, count):
    fuzz("command", 2, count, tmp_path, 120)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_hundred_thousand_hostile_texts(tmp_path, seed):
    found = fuzz("read", 100 + seed, 10_000, tmp_path, 600)
    assert found["longest"][0] < LONGEST


@pytest.mark.slow
def test_many_hostile_texts_given_to_the_command(tmp_path):
    fuzz("command", 3, 300, tmp_path, 1200)


if __name__ == "__main__":
    child(*sys.argv[1:])
