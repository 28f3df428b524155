"""A headless Chromium, and a JupyterLab of its own on a copy of the notebooks.

The browser is the system's (Debian: chromium), driven by playwright; where one of them is missing the tests are skipped
and say which.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator:
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `browser`)")
    with driver.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield found
        found.close()


def until(condition: Callable[[], object], what: str, seconds: float = 120) -> object:
    """What `condition` gives as soon as it is true; fails if it never is."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address with the token, and the folder it serves."""

    address: str
    token: str
    folder: Path

    def api(self, path: str) -> list | dict:
        request = urllib.request.Request(f"{self.address}/api/{path}", headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        try:
            return "version" in self.api("")
        except OSError:
            return False

    def connected(self, notebook: str) -> bool:
        """Whether the kernel is idle and the page is connected to it; what the page shows is too early."""
        kernels = [session["kernel"] for session in self.api("sessions") if session["path"].endswith(notebook)]
        return any(kernel["execution_state"] == "idle" and kernel["connections"] > 0 for kernel in kernels)

    def opened(self, page, notebook: str) -> None:
        page.goto(f"{self.address}/lab/tree/notebooks/{notebook}?reset&token={self.token}")
        until(lambda: self.connected(notebook), f"the kernel of {notebook}")
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.isReady")

    def run_all(self, page) -> None:
        """Run all cells and save; returns when both are done."""
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    def cells(self, notebook: str) -> list[dict]:
        """The code cells as they were saved."""
        text = (self.folder / "notebooks" / notebook).read_text(encoding="utf-8")
        return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Without the user's settings, and without the question whether news are wanted."""
    folder = tmp_path_factory.mktemp("lab")
    for name in ("notebooks", "results"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    silent = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(silent))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    homes = {f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    homes |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "spaces")}
    environment = {**os.environ, **homes, "PYTHONPATH": str(ROOT), "JUPYTER_PREFER_ENV_PATH": "1"}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    command += [f"--ServerApp.root_dir={folder}"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            running = Lab(f"http://127.0.0.1:{port}", token, folder)
            until(running.answers, "JupyterLab to start")
            yield running
        finally:
            server.terminate()
            server.wait(30)
