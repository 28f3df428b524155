"""kill -9 at random moments of make figures: figures are whole and none is missing, and the next run completes."""

import os
import random
import signal
import time

import pytest

pytestmark = [pytest.mark.build, pytest.mark.slow]
KILLS = 50


def test_killed_at_fifty_random_moments(drawn):
    began = time.monotonic()
    (drawn.root / "analysis/one.py").write_text("value = 'made 0'\n")
    (drawn.root / "analysis/three.py").write_text("three = 'made 0'\n")
    drawn.ran(drawn.make("figures", "-j2"))
    lasted = time.monotonic() - began
    moments = random.Random(3)
    names = sorted(drawn.files("figures"))
    before = dict.fromkeys(names, 0)
    hit = made = 0
    while hit < KILLS:
        made += 1
        (drawn.root / "analysis/one.py").write_text(f"value = 'made {made}'\n")
        (drawn.root / "analysis/three.py").write_text(f"three = 'made {made}'\n")
        process = drawn.start("figures", "-j2")
        time.sleep(moments.uniform(0, 1.2 * lasted))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            hit += 1
        drawn.finish(process)
        ages = ages_of(drawn.files("figures"), made)
        assert sorted(ages) == names
        assert all(ages[name] >= before[name] for name in names), "an older figure came back"
        before = ages
        if process.returncode == 0:
            assert set(ages.values()) == {made}
    assert drawn.ran(drawn.make("figures")) != []
    assert set(ages_of(drawn.files("figures"), made).values()) == {made}
    assert drawn.ran(drawn.make("figures")) == []
    assert [path for path in (drawn.root / "build/mish").iterdir() if path.is_dir()] == [], "left over"


def ages_of(figures: dict[str, bytes], newest: int) -> dict[str, int]:
    """Which making each figure is of; a figure that is cut short is of none."""
    whole = {
        text: made
        for made in range(newest + 1)
        for text in (f"mish made {made}".encode(), f"mish ('made {made}', '5\\n')".encode())
    }
    return {name: whole[text] for name, text in figures.items()}
