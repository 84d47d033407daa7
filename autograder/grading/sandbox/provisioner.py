"""A Jupyter kernel in the sandbox, for nbgrader's own commands and for nbclient.

It is an ordinary ipykernel in bubblewrap: it sees Python and the library, and neither files of
yours, nor data beside the notebook, nor a network. It serves those who want a notebook's outputs
as Jupyter makes them; marks need no kernel.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Integer

from autograder.grading import library
from autograder.grading.process import Tier, environment, python
from autograder.grading.sandbox import bubblewrap, tiers
from autograder.grading.sandbox.hardening import Limits

NAME = "unrolled-sandbox"
PACKAGES = (*library.PACKAGES, "ipykernel")
WORK = f"{bubblewrap.FOLDER}/work"  # apart from the folder of the sockets, which is on our disk
KERNEL = "autograder.grading.sandbox.kernel"
VARIABLES = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "JPY_PARENT_PID": "1",  # else ipykernel ends itself, for its parent has number 1 in there
}


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel in bubblewrap, which talks through sockets in a private folder."""

    seconds = Integer(600, help="Wall time of a whole notebook").tag(config=True)
    cpu_seconds = Integer(Limits().cpu_seconds, help="Of a whole notebook").tag(config=True)
    memory = Integer(Limits().memory, help="Address space in bytes").tag(config=True)

    _meeting: str | None = None
    _alarm: asyncio.TimerHandle | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Arrange the folder of the sockets, and the command."""
        if tiers.best() is not Tier.FULL:
            raise RuntimeError("the sandbox for kernels needs tier full; see `unrolled doctor`")
        # short, since a socket's path has 107 bytes; and private, since it holds the kernel's key
        self._meeting = tempfile.mkdtemp(prefix="k", dir=bubblewrap.FOLDER)
        manager = self.parent
        manager.transport, manager.ip = "ipc", f"{self._meeting}/s"
        manager.connection_file = f"{self._meeting}/c.json"
        self.kernel_spec.interrupt_mode = "message"  # a signal would end bubblewrap itself
        launch = await super().pre_launch(**kwargs)
        return launch | {
            "cmd": self._command(),
            "env": environment(bubblewrap.LIBRARY, WORK),
            "cwd": "/",
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        }

    def _command(self) -> list[str]:
        readable = [*library.SYSTEM, *library.interpreter()]
        limits = Limits(memory=self.memory, cpu_seconds=self.cpu_seconds)
        order = {
            "limits": limits._asdict(),
            "readable": [*map(bubblewrap.inside, readable), bubblewrap.LIBRARY],
            "folder": WORK,
            "sockets": self._meeting,
        }
        words = bubblewrap.command(readable, library.folder(PACKAGES))
        words += ["--bind", str(self._meeting), str(self._meeting), "--dir", WORK, "--chdir", WORK]
        for name, value in VARIABLES.items():
            words += ["--setenv", name, value]
        program, *rest = python(KERNEL, json.dumps(order), "-f", f"{self._meeting}/c.json")
        return [*words, bubblewrap.inside(program), *rest]

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel, and the clock of the whole notebook."""
        info = await super().launch_kernel(cmd, **kwargs)
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(self.seconds, self._time_up)
        return info

    def _time_up(self) -> None:
        if self.process is not None:
            self.process.kill()

    async def cleanup(self, restart: bool = False) -> None:
        """Stop the clock and remove the sockets."""
        if self._alarm is not None:
            self._alarm.cancel()
        await super().cleanup(restart)
        if self._meeting is not None:
            shutil.rmtree(self._meeting, ignore_errors=True)


def install(prefix: str = sys.prefix) -> str:
    """Make the kernel known to Jupyter; by default in this environment only.

    Returns
    -------
    str
        Its folder.
    """
    spec = {
        "argv": [sys.executable, "-m", KERNEL, "{connection_file}"],  # the provisioner has its own
        "display_name": "Python (Unrolled's sandbox)",
        "language": "python",
        "interrupt_mode": "message",
        "metadata": {"kernel_provisioner": {"provisioner_name": NAME}},
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernel.json").write_text(json.dumps(spec, indent=1))
        os.chmod(folder, 0o755)  # noqa: S103  # its copy is for all users of the environment
        place: str = KernelSpecManager().install_kernel_spec(folder, NAME, prefix=prefix)
    return place
