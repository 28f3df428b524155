"""Figures get to where they are seen whole, and all or none, whatever is there."""

import pytest

from analysis.shown import closure, publishing
from tests import mounts


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Publishes figures of a text into a folder, as the runner does; returns what a reader then sees there."""
    monkeypatch.chdir(tmp_path)

    def call(figures, text, names=("one.svg", "deeper/two.png")):
        with publishing.workplace(tmp_path / "build", "note") as scratch:
            drawn = scratch / "figures"
            for name in names:
                (drawn / name).parent.mkdir(parents=True, exist_ok=True)
                (drawn / name).write_text(text)
            publishing.publish(drawn, figures, tmp_path / "build/note.sha256", [])
        return seen(figures)

    return call


def seen(figures):
    return {str(p.relative_to(figures)): p.read_text() for p in figures.rglob("*") if p.is_file()}


def test_figures_may_be_on_another_file_system(publish, mounted):
    figures = mounted("size=1m")
    assert publish(figures, "1") == {"one.svg": "1", "deeper/two.png": "1"}
    assert publish(figures, "2", ["one.svg"]) == {"one.svg": "2"}
    assert sorted(path.name for path in figures.iterdir()) == ["deeper", "one.svg"]


def test_a_full_one_keeps_the_old_figures_all_of_them(publish, mounted, tmp_path):
    figures = mounted("size=64k")
    publish(figures, "old")
    manifest = (tmp_path / "build/note.sha256").read_text()
    mounts.fill(figures)
    with pytest.raises(OSError, match="No space left on device"):
        publish(figures, "new" * 5000)
    (figures / "fill").unlink()
    assert seen(figures) == {"one.svg": "old", "deeper/two.png": "old"}
    assert (tmp_path / "build/note.sha256").read_text() == manifest
    assert not (figures / ".drawn").exists()


def test_what_a_kill_left_there_is_no_matter(publish, mounted):
    figures = mounted("size=1m")
    (figures / ".drawn").mkdir()
    (figures / ".drawn/three.svg").write_text("cut sh")
    assert publish(figures, "1") == {"one.svg": "1", "deeper/two.png": "1"}


def test_a_build_folder_that_cannot_be_written_is_one_line(mounted, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        closure.main(mounted("ro") / "deps.mk")
    assert str(stopped.value).endswith("deps.mk: Read-only file system")
    assert "\n" not in str(stopped.value)
