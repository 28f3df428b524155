"""The wheel and the sdist: built, installed where there is no checkout, and used from there."""

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def build(target: str, folder: Path, source: Path = ROOT) -> Path:
    """The archive of the project in `source`; nothing is downloaded."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    (archive,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the unpacked sdist, so that both are tried."""
    folder = tmp_path_factory.mktemp("built")
    with tarfile.open(build("sdist", folder)) as archive:
        archive.extractall(folder, filter="data")
    (source,) = (path for path in folder.iterdir() if path.is_dir())
    return build("wheel", folder / "wheel", source)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A Python whose packages are those of the lock, with the wheel in the place of the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=False)
    (packages,) = (folder / "env" / "lib").glob("*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    locked = next(p for p in sys.path if p.endswith("site-packages"))
    for path in Path(locked).iterdir():
        if "actapprox" not in path.name and path.suffix != ".pth" and not (packages / path.name).exists():
            (packages / path.name).symlink_to(path)
    return folder / "env" / "bin" / "python"


def run(python: Path, folder: Path, *words: str) -> dict:
    command = [python, "-m", "analysis", *words, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.proof
def test_the_wheel_holds_the_package_the_style_and_the_records(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {str(p.relative_to(ROOT)) for p in (ROOT / "analysis").rglob("*") if "__pycache__" not in p.parts}
    files = {name for name in package if (ROOT / name).is_file()}
    records = {f"analysis/results/{path.name}" for path in (ROOT / "results").glob("*.json")}
    assert files | records <= names
    assert not {name for name in names if name.startswith(("tests/", "notebooks/", "figures/"))}


@pytest.mark.proof
def test_an_installed_package_answers_outside_of_the_checkout(installed, tmp_path):
    where = [installed, "-c", "import analysis; print(analysis.__file__)"]
    home = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "site-packages" in home
    assert run(installed, tmp_path, "show", "mish")["smoothness"] == "oo"
    assert run(installed, tmp_path, "compare", "mish", "hard_mish")["verdict"] == "PROVED"


@pytest.mark.slow
def test_pip_installs_it_with_all_that_it_needs(wheel, tmp_path):
    """Asks the package index."""
    venv.create(tmp_path / "env", with_pip=True)
    subprocess.run([tmp_path / "env" / "bin" / "pip", "install", "--quiet", str(wheel)], check=True)
    script = [tmp_path / "env" / "bin" / "actapprox", "show", "mish", "--json"]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["name"] == "mish"
