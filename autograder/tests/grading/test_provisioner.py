"""An ordinary kernel in the sandbox, run by nbclient."""

import contextlib
import socket
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from traitlets.config import Config

from autograder.cli import main
from autograder.grading.sandbox import provisioner, tiers

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(tiers.best() != "full", reason="tier full does not work here"),
    # nbclient's own loop is closed late
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def kernel(tmp_path, monkeypatch):
    """The kernelspec, in a folder of this test."""
    provisioner.install(str(tmp_path))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))


def executed(*sources, **options):
    """The text that each cell put out."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, kernel_name=provisioner.NAME, timeout=60, **options)
    client.execute()
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]


def attempt(code):
    return f"try:\n    {code}\n    print('done')\nexcept OSError as error:\n    print('refused', error)"


def test_a_notebook_runs():
    said = executed(
        "import numpy as np\nopen('mine', 'w').close()",
        "%timeit -n1 -r1 np.ones(3)\nprint(np.ones(3).sum())",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show(); print('drawn')",
    )
    assert "3.0" in said[1] and "drawn" in said[2]


def test_it_cannot_get_out():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        listening.settimeout(0.1)
        said = executed(
            attempt(f"open({str(ROOT / 'solutions' / 'rnn.py')!r})"),
            attempt("open('/etc/passwd')"),
            attempt(f"__import__('socket').create_connection(('127.0.0.1', {port}))"),
            attempt("__import__('subprocess').run(['true'])"),
            attempt("open('/var/tmp/unrolled-mark', 'w')"),
            attempt("open(__import__('ipykernel').get_connection_file() + 'x', 'w')"),
        )
        with pytest.raises(TimeoutError):
            listening.accept()
    assert [text.split()[0] for text in said] == ["refused"] * 6, said


def test_the_whole_notebook_has_a_limit():
    config = Config()
    config.SandboxProvisioner.seconds = 20  # a cold kernel may need half of that to start
    start = time.monotonic()
    with pytest.raises(DeadKernelError):
        executed("while True:\n    pass", config=config)
    assert time.monotonic() - start < 50, "well before the cell's own limit"


def test_the_doctor_installs_it(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(provisioner.install, "__defaults__", (str(tmp_path / "env"),))
    assert main(["doctor", "--install-kernel"]) == 0
    assert provisioner.NAME in capsys.readouterr().out
    spec = tmp_path / "env" / "share" / "jupyter" / "kernels" / provisioner.NAME / "kernel.json"
    assert spec.is_file()
    with contextlib.suppress(KeyError):
        assert provisioner.NAME in KernelSpecManager().find_kernel_specs()
