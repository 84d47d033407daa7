"""The command line. Each command imports what it needs, so that all of them start at once."""

import argparse
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from autograder import answers
from autograder.grading.cli import add_commands
from autograder.notebooks import units

Handler = Callable[[argparse.Namespace], int]


class UsageError(Exception):
    """Something that the user can mend: shown as a sentence, without a traceback."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 if it went well, 1 if it found faults, 2 if misused."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except UsageError as error:
        print(f"unrolled: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("unrolled: stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="unrolled", description="A course on recurrent neural networks that checks itself."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _learner_commands(commands)
    _author_commands(commands)
    add_commands(commands)
    return parser


def _learner_commands(commands: argparse._SubParsersAction) -> None:
    start = commands.add_parser("start", help="copy the student notebooks into a folder")
    start.add_argument("folder", type=Path, metavar="DIR")
    start.set_defaults(run=_start)
    lab = commands.add_parser("lab", help="open JupyterLab on a folder of notebooks")
    lab.add_argument("folder", type=Path, metavar="DIR", nargs="?", default=Path("."))
    lab.add_argument(
        "options", nargs="*", metavar="-- OPTION", help="for JupyterLab, such as -- --no-browser"
    )
    lab.set_defaults(run=_lab)
    check = commands.add_parser("check", help="check a notebook in the terminal")
    check.add_argument("notebook", type=Path)
    check.add_argument("--json", action="store_true", help="print the reports as JSON")
    check.set_defaults(run=_check)
    data = commands.add_parser("data", help="data sets").add_subparsers(
        required=True, metavar="ACTION"
    )
    prepare = data.add_parser("prepare", help="fetch data sets from their pinned archives")
    prepare.add_argument("names", nargs="*", metavar="NAME")
    prepare.set_defaults(run=_data)


def _author_commands(commands: argparse._SubParsersAction) -> None:
    build = commands.add_parser("build", help="weave the texts into student notebooks")
    build.add_argument("--check", action="store_true", help="change nothing; fail on a difference")
    build.set_defaults(run=_build)
    verify = commands.add_parser("verify", help="prove the exercises and the notebooks")
    verify.add_argument(
        "names", nargs="*", metavar="NAME", help="units or exercises; all by default"
    )
    verify.add_argument("--json", action="store_true")
    verify.add_argument("--seeds", type=int, default=3, metavar="N", help="input seeds to try")
    verify.add_argument(
        "--no-notebooks", action="store_true", help="exercises only: takes seconds, not minutes"
    )
    verify.add_argument(
        "--calibrate", type=int, nargs="?", const=300, metavar="N",
        help="instead: how often the checks err, over N draws of the inputs (300)",
    )  # fmt: skip
    verify.set_defaults(run=_verify)
    _misconception_commands(commands)
    bench = commands.add_parser("bench", help="ratios measured side by side in one run")
    bench.add_argument("what", choices=["reference", "check", "grading", "course"])
    bench.add_argument("--full", action="store_true")
    bench.add_argument("--json", action="store_true")
    bench.set_defaults(run=_bench)


def _misconception_commands(commands: argparse._SubParsersAction) -> None:
    actions = commands.add_parser(
        "misconception", help="what learners get wrong, and are told"
    ).add_subparsers(required=True, metavar="ACTION")
    new = actions.add_parser("new", help="add one to an exercise, after it is proved")
    new.add_argument("exercise")
    new.add_argument("id", help="words with hyphens, such as state-not-carried")
    new.add_argument("--old", required=True, help="as it stands in the solution")
    new.add_argument("--new", required=True, help="what learners write there")
    new.add_argument("--why", required=True, help="a sentence: why that is wrong, and what to do")
    new.add_argument("--class", dest="folder", type=Path, metavar="DIR", help="where it was found")
    new.add_argument("--alike", metavar="FINGERPRINT", help="of the group in that class's report")
    new.set_defaults(run=_misconception)


# ------------------------------------------------------------------ learners


def _start(options: argparse.Namespace) -> int:
    """Put the notebooks into a folder; never overwrite work."""
    from autograder.start import start

    if options.folder.exists() and not options.folder.is_dir():
        raise UsageError(f"{options.folder} is a file; name a folder for the notebooks")
    for what, path, remark in start(options.folder):
        print(f"{what:<6} {path}" + (f" ({remark})" if remark else ""))
    print(f"Next: unrolled lab {options.folder}")
    return 0


def _lab(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError("JupyterLab is not installed; run: pip install 'unrolled[lab]'")
    if not options.folder.is_dir():
        raise UsageError(
            f"there is no folder {options.folder}; run: unrolled start {options.folder}"
        )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "jupyterlab", str(options.folder), *options.options]
    return subprocess.run(command, env=environment, check=False).returncode


def _check(options: argparse.Namespace) -> int:
    from autograder.terminal import check_notebook

    if not options.notebook.is_file():
        raise UsageError(f"there is no notebook {options.notebook}")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            reports = check_notebook(options.notebook)
    except ValueError as error:
        raise UsageError(f"{options.notebook} is not a notebook of this course: {error}") from None
    if options.json:
        print(json.dumps([report.summary() for report in reports], indent=1))
    else:
        print("\n\n".join(str(report) for report in reports))
        print(f"\n{sum(r.passed for r in reports)} of {len(reports)} exercises are right")
    return 0 if all(report.passed for report in reports) else 1


def _data(options: argparse.Namespace) -> int:
    from course.given import prepare

    try:
        prepare.prepare(options.names or None)
    except prepare.DataError as error:
        raise UsageError(str(error)) from None
    return 0


# ------------------------------------------------------------------ authors


def _build(options: argparse.Namespace) -> int:
    _needs_checkout("build")
    from autograder.weave import WeaveError, build

    try:
        changed = build(check=options.check)
    except WeaveError as error:
        raise UsageError(str(error)) from None
    for path in changed:
        print(f"{'differs' if options.check else 'wrote'}  {path.parent.name}/{path.name}")
    if not changed:
        print("every notebook is up to date")
    elif options.check:
        print("Run `unrolled build` and commit the notebooks.")
    return 1 if changed and options.check else 0


def _verify(options: argparse.Namespace) -> int:
    _needs_checkout("verify")
    from autograder import verify

    chosen_units, chosen = _chosen(options.names)
    if options.calibrate:
        return _calibrate(chosen, options.calibrate, options.json)
    prove = partial(verify.verify, seeds=range(options.seeds))
    verdicts = list(_in_parallel(prove, chosen, "exercise", options.json))
    runs = []
    if not options.no_notebooks:
        from tqdm import tqdm

        from autograder.verify_notebooks import verify_notebook

        bar = tqdm(chosen_units, unit="notebook", disable=options.json)
        runs = [run for unit in bar for run in verify_notebook(unit)]
    if options.json:
        result = {
            "exercises": [v.summary() for v in verdicts],
            "notebooks": [run.summary() for run in runs],
        }
        print(json.dumps(result, indent=1))
    else:
        print("\n".join([*verify.table(verdicts), *(str(run) for run in runs)]))
    return 0 if all(v.ok for v in verdicts) and all(run.ok for run in runs) else 1


def _in_parallel(work: Callable, names: Sequence[str], unit: str, quiet: bool) -> Iterator[Any]:
    """What a function gives for each name, on all processors, in order, with a progress bar."""
    from concurrent.futures import ProcessPoolExecutor

    from tqdm import tqdm

    from autograder.grading.workers import cpus

    with ProcessPoolExecutor(cpus()) as pool:
        try:
            yield from tqdm(pool.map(work, names), total=len(names), unit=unit, disable=quiet)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise


def _misconception(options: argparse.Namespace) -> int:
    _needs_checkout("misconception new")
    from autograder.exercise import Edit
    from autograder.grading.classroom import likeness
    from autograder.grading.errors import ClassError
    from autograder.misconceptions import MisconceptionError, add

    if (options.folder is None) != (options.alike is None):
        raise UsageError("--class and --alike belong together")
    edit = Edit(options.id, options.old, options.new, options.why)
    try:
        like = [likeness(options.folder, options.exercise, options.alike)] if options.alike else []
        path = add(options.exercise, edit, *like)
    except (ClassError, MisconceptionError) as error:
        raise UsageError(str(error)) from None
    print(f"wrote  {path}")
    print(f"Next: unrolled verify {options.exercise}, and unrolled regrade on your classes")
    return 0


def _calibrate(names: Sequence[str], seeds: int, as_json: bool) -> int:
    from autograder import verify

    found = list(_in_parallel(partial(verify.calibrate, seeds=seeds), names, "exercise", as_json))
    if as_json:
        print(json.dumps([calibration._asdict() for calibration in found], indent=1))
    else:
        print("\n".join(map(str, found)))
    return 0 if all(calibration.ok for calibration in found) else 1


def _chosen(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The units and exercises that a list of names means; all of them if it is empty."""
    table = units()
    known = [*table, *answers.names()]
    for name in names:
        if name not in known:
            raise UsageError(f"there is no unit or exercise {name!r}; there are {', '.join(known)}")
    chosen_units = [unit for unit in table if not names or unit in names]
    inside = {name for unit in chosen_units for name in table[unit]}
    chosen = [n for n in answers.names() if not names or n in names or n in inside]
    return chosen_units, chosen


def _bench(options: argparse.Namespace) -> int:
    _needs_checkout(f"bench {options.what}")
    from importlib import import_module

    import_module(f"autograder.bench.{options.what}").main(full=options.full, json=options.json)
    return 0


def _needs_checkout(command: str) -> None:
    if not answers.has_reference():
        raise UsageError(
            f"`unrolled {command}` needs the solutions, which are in the course's checkout only"
        )


if __name__ == "__main__":
    sys.exit(main())
