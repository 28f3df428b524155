"""Hard places to run in: an odd environment changes no byte; where nothing can be written, one line says why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import mounts

COMMAND = (sys.executable, "-m", "analysis")
ROOT = Path(__file__).resolve().parents[2]
DRAWS = ("show", "relu", "--plot", "relu.svg", "--out", "relu.json")
SETTINGS = "font.family: Nowhere Sans\ntext.usetex: True\naxes.grid: True\nsavefig.dpi: 3\n"

ODD = {
    "locale C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "output in ASCII": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "warnings are errors": {"PYTHONWARNINGS": "error"},
    "no home": {"HOME": "/nonexistent", "MPLCONFIGDIR": "/proc"},
    "a home that cannot be written": {"HOME": "/proc"},
    "a backend with a window": {"MPLBACKEND": "TkAgg", "DISPLAY": ""},
    "a backend that is none": {"MPLBACKEND": "nonsense"},
    "settings of one's own, with a font that is missing": {"MATPLOTLIBRC": "matplotlibrc"},
    "another time zone and language": {"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"},
    "another order of sets": {"PYTHONHASHSEED": "5"},
    "without docstrings": {"PYTHONOPTIMIZE": "2"},
}
SLOW = ("PYTHONOPTIMIZE", "MPLCONFIGDIR", "HOME")  # all modules compiled again, all fonts looked at again
ALL_AT_ONCE = {name: value for change in ODD.values() for name, value in change.items() if name not in SLOW}


def ran(folder: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | extra
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def drawn(folder: Path, **extra: str) -> dict[str, bytes]:
    """All that the command writes: its output, its figure, its record."""
    folder.mkdir()
    (folder / "matplotlibrc").write_text(SETTINGS)
    result = ran(folder, *DRAWS, **extra)
    assert (result.returncode, result.stderr) == (0, "")
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "matplotlibrc"}
    return found | {"output": result.stdout.encode()}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("plain") / "here")


@pytest.mark.proof
def test_odd_settings_all_at_once_change_no_byte(plain, tmp_path):
    assert sorted(plain) == ["output", "relu.json", "relu.svg"]
    assert drawn(tmp_path / "dört \N{GREEK SMALL LETTER OMEGA} here", **ALL_AT_ONCE) == plain


def test_nor_a_byte_of_the_list(tmp_path):
    """The quickest of the commands, which says names with accents."""
    odd, plain = (ran(tmp_path, "list", "--json", **extra) for extra in (ALL_AT_ONCE, {}))
    assert (odd.returncode, odd.stdout, odd.stderr) == (0, plain.stdout, "")


@pytest.mark.slow
@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_odd_settings_change_no_byte(plain, tmp_path, change):
    assert drawn(tmp_path / "here", **change) == plain


WRITING = {
    "a record": ("show", "relu", "--out", "{}/old"),
    "a figure": ("show", "relu", "--plot", "{}/old.svg"),
    "a page": ("show", "relu", "--html", "{}/old.html"),
    "code": ("export", "relu", "--to", "c", "--out", "{}/old"),
}


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
def test_a_full_disk_is_one_line_and_keeps_what_was_there(mounted, run, arguments):
    full = mounted("size=64k")
    target = Path(arguments[-1].format(full))
    target.write_text("old")
    mounts.fill(full)
    before = sorted(full.iterdir())
    assert run(*arguments[:-1], str(target)) == (2, "", f"actapprox: No space left on device: {target}\n")
    assert target.read_text() == "old"
    assert sorted(full.iterdir()) == before


@pytest.mark.parametrize("arguments", WRITING.values(), ids=WRITING)
def test_a_read_only_folder_is_one_line(mounted, run, arguments):
    target = arguments[-1].format(mounted("ro"))
    assert run(*arguments[:-1], target) == (2, "", f"actapprox: Read-only file system: {target}\n")


def test_output_to_a_full_device_is_one_line():
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("needs a device that is always full")
    with device.open("w") as full:
        command = [*COMMAND, "list"]
        result = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (2, "actapprox: No space left on device: standard output\n")


def test_a_reader_that_leaves_is_no_error():
    with subprocess.Popen(
        [*COMMAND, "show", "relu"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as shown:
        shown.stdout.close()
        assert shown.stderr.read() == b""
