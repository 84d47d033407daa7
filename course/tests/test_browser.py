"""The notebook as a learner meets it: JupyterLab, in a real browser, with no way out to the net."""

from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import nbformat
import pytest

from autograder.cli import main
from autograder.exercise import exercise, mutant_source, source
from autograder.notebooks import answer_id, exercise_of, units
from course.tests.looking import (
    CHROMIUM,
    FOREIGN,
    NARROW,
    WIDE,
    browsing,
    jupyterlab,
    keep,
    theme,
    too_wide,
    violations,
    watch,
    watched,
)

IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status == 'idle'"

SLIPS = {
    "01_sequences": "pad_sequences",
    "02_rnn_forward": "rnn_forward",
    "03_bptt": "rnn_backward",
    "04_language_model": "make_batches",
    "05_gru": "gru_cell_forward",
    "06_lstm": "lstm_forward",
    "07_birnn": "birnn_forward",
    "08_deep_rnn": "deep_rnn_backward",
    "09_seq2seq": "encode_sequence",
}
"""The function of a unit that a learner gets wrong at first."""

INTERACTIVES = {
    "01_sequences": ("sentences_to_batch", "button", "Half of it", "Enter"),
    "02_rnn_forward": ("unrolled_steps", "button", "Step forward", "Enter"),
    "03_bptt": ("gradient_flow", "spinbutton", "Steps back", "ArrowUp"),
    "04_language_model": ("temperature", "button", "Draw one", "Enter"),
    "05_gru": ("gates", "button", "Next word", "Enter"),
    "06_lstm": ("widgets_lstm.conveyor", "spinbutton", "Forget", "ArrowUp"),
    "07_birnn": ("who_decided", "button", "Next word", "Enter"),
    "08_deep_rnn": ("widgets_deep.order", "button", "Compute", "Enter"),
    "09_seq2seq": ("beam_tree", "button", "Step forward", "Enter"),
}
"""A unit's interactive: what shows it, and a control of it with a key that moves it."""

SCROLLS = ("01_sequences", "03_bptt", "05_gru", "06_lstm")
"""Units whose drawing is wider than a narrow window whatever it shows, so that it must scroll."""

UNITS = sorted(INTERACTIVES)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: no page was looked at"),
]


class Lab(NamedTuple):
    """A JupyterLab: where it answers, and the folder that it shows."""

    address: str
    folder: Path


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab on freshly started notebooks."""
    work = tmp_path_factory.mktemp("lab")
    main(["start", str(work / "my-course")])
    with jupyterlab(work / "my-course", work, UNROLLED_HOME=str(work / "home")) as address:
        yield Lab(address, work / "my-course")


@pytest.fixture(scope="module")
def chromium():
    with browsing() as browser:
        yield browser


@contextmanager
def opened(chromium, lab, notebook, route="doc/tree", known=FOREIGN):
    """A notebook in Lab, or in Notebook 7 by the route `notebooks`, with its kernel ready.

    Fails on a console error that is not known, or a way out.
    """
    page = chromium.new_page(viewport={"width": WIDE, "height": 1000})
    strangers, errors = [], []
    page.on("request", lambda request: strangers.append(request.url))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(f"{lab.address}/{route}/{notebook}")
    page.wait_for_function(IDLE, timeout=90_000)
    try:
        yield page
    finally:
        page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        page.close()
    assert not [url for url in strangers if not url.startswith((lab.address, "data:", "blob:"))]
    assert not [error for error in errors if not (FOREIGN in error or known in error)]


@pytest.fixture
def page(chromium, lab, unit):
    """A unit's notebook."""
    with opened(chromium, lab, f"{unit}.ipynb") as page:
        yield page


def run_all(page):
    """Run every cell, and wait for the last."""
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    counted = (
        "window.jupyterapp.shell.currentWidget.content.widgets"
        ".filter(w => w.model.type == 'code' && w.model.sharedModel.getSource().trim())"
        ".every(w => w.model.executionState == 'idle' && w.model.executionCount)"
    )
    page.wait_for_function(counted, timeout=600_000)  # its experiments train networks
    page.wait_for_function(IDLE, timeout=60_000)


def write(page, name, text):
    """Put an answer where a function is to be written."""
    page.evaluate(
        "([start, text]) => window.jupyterapp.shell.currentWidget.content.widgets"
        ".map(w => w.model.sharedModel).find(m => m.getSource().startsWith(start)).setSource(text)",
        [f"def {name}(", text],
    )


def card(page, name):
    """What the check of a function shows."""
    return page.evaluate(
        """text => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(w => w.model.sharedModel.getSource() == text)
            .map(w => w.model.sharedModel.getOutputs()[0]?.data['text/plain'] ?? null)
            .map(t => Array.isArray(t) ? t.join('') : t)[0]""",
        f"check({name})",
    )


def check_again(page, name):
    """Run a function's cell and its check, and read what the check shows then."""
    before = card(page, name)
    page.evaluate(
        """async ([start, check]) => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            for (const wanted of [s => s.startsWith(start), s => s == check]) {
                notebook.deselectAll();
                notebook.activeCellIndex = notebook.widgets.findIndex(
                    w => wanted(w.model.sharedModel.getSource()));
                await window.jupyterapp.commands.execute('notebook:run-cell');
            } }""",
        [f"def {name}(", f"check({name})"],
    )
    end = monotonic() + 60
    while card(page, name) in (None, before) and monotonic() < end:
        page.wait_for_timeout(200)
    return card(page, name)


def output(page, text):
    """The output of the cell with this text, in view."""
    page.evaluate(
        """text => { const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.scrollToItem(notebook.widgets.findIndex(
                w => w.model.sharedModel.getSource().includes(text)), 'start'); }""",
        text,
    )
    return page.locator(".jp-CodeCell", has_text=text).first.locator(".jp-OutputArea").first


def figure(page):
    """The output of the first cell that shows a figure without controls."""
    return page.evaluate_handle(
        """() => { const notebook = window.jupyterapp.shell.currentWidget.content;
            const drawn = out => 'image/png' in (out.data ?? {})
                && !('application/vnd.jupyter.widget-view+json' in out.data);
            const at = notebook.widgets.findIndex(
                w => (w.model.sharedModel.getOutputs?.() ?? []).some(drawn));
            notebook.scrollToItem(at, 'start');
            return notebook.widgets[at].node.querySelector('.jp-OutputArea'); }"""
    ).as_element()


def not_attempted(page, name):
    return card(page, name).startswith(f"○ {name}: not attempted")


@pytest.fixture(scope="module", autouse=True)
def all_units():
    """A unit without a line in the tables above would not be looked at."""
    assert UNITS == sorted(units()) == sorted(SLIPS)


def move(page, function, role, name, key):
    """Press a key on a control of an interactive: what it says and what it shows must change.

    It does so in place: in no frame is it empty, or lower than before and after.
    """
    shown = output(page, f"{function}(")
    said, drawing = shown.get_by_role("status"), shown.locator("svg").first
    said.wait_for()
    before, height = (said.inner_text(), drawing.screenshot()), shown.bounding_box()["height"]
    watch(shown)
    control = shown.get_by_role(role, name=name, exact=True)
    control.focus()
    page.keyboard.press(key)
    end = monotonic() + 60
    while said.inner_text() == before[0] and monotonic() < end:
        page.wait_for_timeout(100)
    assert said.inner_text() != before[0]
    assert drawing.screenshot() != before[1]
    heights, drawn, gone = watched(page)
    assert gone == 0 and all(drawn)
    assert min(heights) >= min(height, shown.bounding_box()["height"]) - 1
    assert control.evaluate("e => e === document.activeElement") or control.is_disabled()


def narrow(page, shown):
    """Make the window narrow: all fits, or keys bring what does not; True where they had to."""
    page.set_viewport_size({"width": NARROW, "height": 1000})
    page.wait_for_function(f"window.innerWidth == {NARROW}")
    box = shown.get_by_role("group", name="Drawing")
    box.scroll_into_view_if_needed()
    assert too_wide(shown) == []
    assert shown.evaluate(
        f"e => e.querySelector('[role=status]').getBoundingClientRect().right <= {NARROW}"
    )
    if wider := box.evaluate("e => (e = e.closest('.widget-html')).scrollWidth > e.clientWidth"):
        box.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.activeElement.closest('.widget-html').scrollLeft > 0")
    return wider


def look_at(page, unit, shown):
    """An interactive in a narrow window, and light and dark in a wide one."""
    keep(shown, f"{unit}-light")
    assert violations(shown) == [] == too_wide(shown)
    assert narrow(page, shown) or unit not in SCROLLS
    keep(shown, f"{unit}-narrow")
    page.set_viewport_size({"width": WIDE, "height": 1000})
    theme(page, "Dark")
    keep(shown, f"{unit}-dark")
    assert violations(shown) == []


def look_at_card(page, unit, name):
    """A card, dark (as the page is by then) and light."""
    shown = output(page, f"check({name})")
    for colours in ("Dark", "Light"):
        theme(page, colours)
        keep(shown, f"{unit}-card-{colours.lower()}")
        assert violations(shown) == []


@pytest.mark.parametrize("unit", UNITS)
def test_a_learner_works_on_the_notebook(page, unit):
    """Run All, the interactive by keyboard, a wrong answer that is explained, and the right one."""
    declared = exercise(name := SLIPS[unit])
    edit = declared.misconceptions[0]
    run_all(page)
    assert [name for name in units()[unit] if not not_attempted(page, name)] == []
    move(page, *INTERACTIVES[unit])
    look_at(page, unit, output(page, f"{INTERACTIVES[unit][0]}("))
    assert violations(figure(page)) == []
    write(page, name, mutant_source(declared.reference, edit))
    assert edit.why in check_again(page, name)
    look_at_card(page, unit, name)
    write(page, name, source(declared.reference))
    assert check_again(page, name).startswith(f"✓ {name}: right on all")


# ------------------------------------------------------------------ a small notebook


STANDS_IN = "3 layers over 5 steps"
"""How the static picture of unit 08's interactive begins to describe itself."""


@pytest.fixture
def small(lab):
    """A notebook with one exercise of unit 01 and the interactive of unit 08: its name."""
    notebook = nbformat.read(lab.folder / "01_sequences.ipynb", 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = code[:1] + [
        cell for cell in code if "one_hot" in (answer_id(cell), exercise_of(cell))
    ]
    assert len(notebook.cells) == 3
    shown = "from course.given import widgets_deep\n\nwidgets_deep.order()"
    notebook.cells.append(nbformat.v4.new_code_cell(shown, id="order"))
    nbformat.write(notebook, lab.folder / "small.ipynb")
    return "small.ipynb"


def validate(page):
    """Press nbgrader's button, and read what it says."""
    page.get_by_role("button", name="Validate").click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for(timeout=90_000)
    said = dialog.inner_text()
    keep(page, f"validate-{'success' if 'Success' in said else 'failure'}")
    dialog.get_by_role("button").last.click()
    return said


def test_from_lab_to_notebook_7(chromium, lab, small):
    """nbgrader's Validate knows a stub from an answer; then, opened anew, the picture stands in.

    The new kernel knows nothing of the widgets that were saved.
    """
    with opened(chromium, lab, small) as page:
        run_all(page)
        output(page, "widgets_deep.order(").get_by_role("status").wait_for()
        assert page.get_by_role("img", name=STANDS_IN).count() == 0  # hidden
        said = validate(page)
        assert "one_hot: not attempted" in said and "Success" not in said
        write(page, "one_hot", source(exercise("one_hot").reference))
        assert "Success! Your notebook passes all the tests." in validate(page)
    with opened(chromium, lab, small, "notebooks", known="widget model not found") as page:
        shown = output(page, "widgets_deep.order(")
        shown.get_by_role("img", name=STANDS_IN).wait_for()
        keep(shown, "opened-anew")
        run_all(page)
        assert card(page, "one_hot").startswith("✓ one_hot: right on all")
        move(page, *INTERACTIVES["08_deep_rnn"])
        assert violations(shown) == [] == violations(output(page, "check(one_hot)"))
        assert too_wide(shown) == []
        keep(page, "notebook-7")


# ------------------------------------------------------------------ without a kernel


def test_a_page_without_network_shows_the_picture(chromium, tmp_path):
    """What nbconvert made of an executed notebook counts on widgets from the net."""
    from nbconvert import HTMLExporter
    from nbconvert.preprocessors import ExecutePreprocessor

    code = "from course.given.widgets_deep import order\norder()"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    ExecutePreprocessor(kernel_name="python3").preprocess(notebook, {})
    assert notebook.metadata.widgets  # as in a notebook that was saved with them
    (tmp_path / "page.html").write_text(HTMLExporter().from_notebook_node(notebook)[0], "utf-8")
    page = chromium.new_page(viewport={"width": WIDE, "height": 1000})
    page.route("**/*", lambda route: (
        route.continue_() if route.request.url.startswith("file:") else route.abort()))  # fmt: skip
    page.goto((tmp_path / "page.html").as_uri())
    picture = page.get_by_role("img", name="layers")
    picture.wait_for()
    assert picture.evaluate("e => e.complete && e.naturalWidth > 100")
    assert page.locator("img:visible").count() == 1
    assert violations(page.locator(".jp-OutputArea").first) == []
    keep(picture, "page-without-network")
    page.close()


def test_looking_finds_what_is_wrong(chromium):
    """The tests above could not fail if these did not."""
    page = chromium.new_page(viewport={"width": NARROW, "height": 500})
    page.set_content(
        '<html lang="en"><main><img src="data:," width="9">'
        '<p style="width:900px">wide</p></main></html>'
    )
    main_ = page.locator("main")
    assert [found.partition(":")[0] for found in violations(main_)] == ["image-alt"]
    assert too_wide(main_)
    drawn = '<div class="widget-box"><svg height="9"><path/></svg></div>'
    main_.evaluate("(e, drawn) => { e.innerHTML = drawn; }", drawn)
    watch(main_)
    for html in ("", drawn):  # as clear_output and a new display would do
        main_.evaluate("(e, html) => { e.innerHTML = html; }", html)
        page.wait_for_timeout(100)
    heights, seen, gone = watched(page)
    assert min(heights) < heights[0] and not all(seen) and gone == 1
    page.close()
