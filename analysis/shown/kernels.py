"""A kernel that is there before it is asked for: a copy of this process, which has imported what it will need.

To start one is to fork, where it is otherwise to start Python, IPython and what a notebook imports: two seconds.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, cast

from jupyter_client import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner


class Spare:
    """A copy of this process that waits to be told which kernel it is; to be made before any thread or event loop.

    With what LocalProvisioner uses of subprocess.Popen; the kernel is the head of a process group of its own.
    """

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        self.orders, orders = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            self.orders.close()
            _become_kernel(orders)
        orders.close()
        self.returncode: int | None = None

    def launch(self, command: list[str], env: dict[str, str], folder: str) -> None:
        self.orders.sendall(json.dumps([command, env, folder]).encode())
        self.orders.close()

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become_kernel(orders: socket.socket) -> None:
    """Wait for the command of a kernel and run it here; end with the process that was to give it, if it gives none."""
    os.setsid()
    with orders, orders.makefile("rb") as stream:
        text = stream.read()
    if not text:
        os._exit(0)
    command, env, folder = json.loads(text)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    # The parent that it is to end with is otherwise read from the environment, and was when ipykernel was imported.
    sys.argv = [*command[command.index("-m") + 1 :], f"--IPKernelApp.parent_handle={os.getppid()}"]
    from ipykernel import kernelapp

    try:
        kernelapp.launch_new_instance()
    finally:
        os._exit(1)  # a kernel is ended by a signal


def manager(spare: Spare) -> type[AsyncKernelManager]:
    """The class of a kernel manager whose kernel is the spare one."""

    class Manager(AsyncKernelManager):
        async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
            provisioner = self.provisioner
            assert isinstance(provisioner, LocalProvisioner)
            spare.launch(kernel_cmd, kw["env"], str(kw.get("cwd") or Path.cwd()))
            provisioner.process, provisioner.pid, provisioner.pgid = cast(Any, spare), spare.pid, spare.pid
            self._reconcile_connection_info(provisioner.connection_info)

    return Manager
