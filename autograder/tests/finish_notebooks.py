"""Finish the student notebooks of whatever `autograder` is installed, and tell what the checks say.

It is a script, run by the learner's Python and by the checkout's. From standard input it reads, for
each unit, ``right`` (from exercise to source) and ``wrong`` (pairs of exercise and source); it
writes the texts of all reports to standard output.
"""

import ast
import contextlib
import json
import linecache
import sys
from itertools import count

import autograder
import course.given
from autograder import answers, check
from autograder.notebooks import answer_id, exercise_of, source_of, student_notebooks

NUMBER = count()


def run(source, scope):
    """Run a cell as a notebook does: its source can be looked up, its last line is its value."""
    name = f"<cell {next(NUMBER)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), scope)
    return eval(compile(ast.Expression(last.value), name, "eval"), scope) if last else None


def finish(notebook, written):
    """Run all but the experiments with these answers filled in; the reports, and the names."""
    scope, reports = {"__name__": "__main__"}, {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or "experiment" in cell["metadata"].get("tags", ()):
            continue
        shown = run(written.get(answer_id(cell), source_of(cell)), scope)
        if name := exercise_of(cell):
            reports[name] = told(shown)
    return reports, scope


def told(report):
    """What a learner reads, and the name of what is wrong."""
    return [str(report), report.misconception]


def slip(scope, name, source):
    """The report on a wrong answer, which may use all of the library, where all else is right."""
    own = {**{name: getattr(course.given, name) for name in course.given.__all__}, **scope}
    run(source, own)
    return [name, *told(check(own[name]))]


def unit(path, tasks):
    notebook = json.loads(path.read_text("utf-8"))
    stubs, _ = finish(notebook, {})
    right, scope = finish(notebook, tasks["right"])
    wrong = [slip(scope, name, source) for name, source in tasks["wrong"]]
    return {"stubs": stubs, "right": right, "wrong": wrong}


def main():
    tasks = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        units = {name: unit(path, tasks[name]) for name, path in student_notebooks().items()}
    here = {"module": autograder.__file__, "reference": answers.has_reference(), "path": sys.path}
    json.dump({"here": here, "units": units}, sys.stdout)


if __name__ == "__main__":
    main()
