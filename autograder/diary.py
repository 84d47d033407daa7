"""What a learner has tried and done, in one small file on their own machine."""

import contextlib
import json
import os
from pathlib import Path

from autograder.report import Report, Rung

DONE, ATTEMPTED = "done", "attempted"


def path() -> Path:
    """Where the diary is: ``UNROLLED_HOME``, or the user's data folder."""
    home = os.environ.get("UNROLLED_HOME") or Path.home() / ".local" / "share" / "unrolled"
    return Path(home) / "progress.json"


def read() -> dict[str, str]:
    """From exercise to "done" or "attempted"; empty if there is no diary yet."""
    try:
        entries = json.loads(path().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def record(report: Report) -> None:
    """Note a check; what is done stays done. A disk that cannot be written is no error."""
    if report.rung is Rung.NOT_ATTEMPTED:
        return
    entries = read()
    state = DONE if report.passed or entries.get(report.name) == DONE else ATTEMPTED
    if entries.get(report.name) == state:
        return
    entries[report.name] = state
    with contextlib.suppress(OSError):
        path().parent.mkdir(parents=True, exist_ok=True)
        fresh = path().with_suffix(".new")
        fresh.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", "utf-8")
        fresh.replace(path())
