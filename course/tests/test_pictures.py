"""Drawings and interactives: that they draw, describe themselves and cost nothing until used."""

import base64
import html
import io
import re
import subprocess
import sys

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from autograder.notebooks import units
from course.given import figures, plots
from course.tests.interactives import MADE

PICTURES = {
    "unrolled": figures.unrolled,
    "architectures": figures.architectures,
    "cell": figures.cell,
    "padding": lambda: figures.padding(["smit", "de luca"]),
    "states_of_word": lambda: figures.states_of_word("ab", np.array([[0.5, -0.25], [0, 1]])),
    "loss_curve": lambda: plots.loss_curve([3.0, 2.0, 1.0], window=2),
    "confusion": lambda: plots.confusion([0, 0, 1], [0, 1, 1], ["Dutch", "German"]),
    "probabilities": lambda: plots.probabilities([0.25, 0.75], ["Dutch", "German"], "<Smit>"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_describes_itself(name):
    picture = PICTURES[name]()
    image = Image.open(io.BytesIO(picture.png))
    assert image.getpixel((0, 0))[:3] == (255, 255, 255)  # its own ground, on any page
    assert len(picture.text) > 30 and repr(picture) == f"[picture: {picture.text}]"
    page = picture._repr_html_()
    assert 'alt="' in page and "<Smit>" not in page


def test_the_text_holds_the_numbers():
    assert "Dutch 50 %" in PICTURES["confusion"]().text
    assert "Dutch taken for German 50 %" in PICTURES["confusion"]().text
    assert "German 75.0 %, Dutch 25.0 %" in PICTURES["probabilities"]().text
    assert "from 3.00 at the first step to an average of 1.50" in PICTURES["loss_curve"]().text


def test_moving_average():
    np.testing.assert_allclose(plots.moving_average([1, 2, 3, 6], 2), [1.5, 2.5, 4.5])
    np.testing.assert_allclose(plots.moving_average([1, 3], 50), [2])


def test_nothing_heavy_is_imported_before_it_is_used():
    code = (
        "import sys; from course.given import baselines, data, figures, plots, training;"
        "print([m for m in ('matplotlib', 'ipywidgets', 'IPython') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.fixture
def unrolled():
    from course.given import widgets

    return widgets.unrolled_steps("harry")


def controls(widget):
    entry, back, forward, step = widget.children[0].children
    return entry, back, forward, step, widget.children[1]


def test_stepping(unrolled):
    _entry, back, forward, step, view = controls(unrolled)
    assert 'role="status"' in view.value and "Step 1 of 5 reads “h”" in view.value
    forward.click()
    assert step.value == 2 and "Step 2 of 5 reads “a”" in view.value
    step.value = 5
    assert forward.disabled and not back.disabled
    forward.click()
    assert step.value == 5
    step.value = 0
    assert back.disabled and "Nothing read yet" in view.value


def test_another_word(unrolled):
    entry, _back, _forward, step, view = controls(unrolled)
    step.value = 5
    entry.value = "Öç<b>"
    assert step.value == 3 and "reads “b”" in view.value  # folded, tags and all
    entry.value = ""
    assert "Step 1 of 1 reads “a”" in view.value
    entry.value = "extraordinarily"
    assert "of 8" in view.value


@pytest.fixture(scope="module")
def made():
    """The interactive of every unit."""
    return {unit: make() for unit, make in MADE.items()}


def every(widget):
    """A widget and all those in it."""
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in every(child))]


def test_every_unit_has_one():
    assert sorted(MADE) == sorted(units())


@pytest.mark.parametrize("unit", MADE)
def test_a_static_picture_comes_along(made, unit):
    """For GitHub, and wherever else no widget runs: the picture, and in words what it shows."""
    bundle = made[unit]._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in bundle
    image = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert image.width > 600 and len(image.convert("L").getcolors()) > 9  # something is drawn
    said = made[unit]._picture.text
    assert len(said) > 60 and bundle["text/plain"] == f"[picture: {said}]"
    assert f'<img alt="{html.escape(said)}" src="data:image/png;base64,' in bundle["text/html"]


def test_the_picture_stands_in_where_widgets_fail(unrolled, monkeypatch):
    """A second output, which a style shows only after widgets that did not come."""
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    unrolled._ipython_display_()
    live, stand_in = shown
    assert "application/vnd.jupyter.widget-view+json" in live
    assert live["text/html"] in stand_in["text/html"]
    assert '"unrolled-stand-in" style="display:none"' in stand_in["text/html"]


@pytest.mark.parametrize(("ink", "ground"), [(33, 255), (255, 17)])  # of JupyterLab, light and dark
def test_faint_text_can_be_read(ink, ground):
    from course.given.widgets import FAINT

    greys = np.array([FAINT * ink + (1 - FAINT) * ground, ground]) / 255
    low, high = sorted(((greys + 0.055) / 1.055) ** 2.4)  # relative luminance, as WCAG has it
    assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("unit", MADE)
def test_controls_have_names_and_words_have_a_place(made, unit):
    controls = [w for w in every(made[unit]) if hasattr(w, "description") and w._view_name]
    controls = [w for w in controls if not isinstance(w, ipywidgets.HTML)]
    names = [w.description for w in controls]
    assert len(controls) >= 4 and all(names) and len(set(names)) == len(names)
    view = made[unit].children[-1]
    assert view.value.count('role="status" aria-live="polite"') == 1
    said = view.value.split('role="status"')[1]
    assert "<b>" in said  # the number that matters
    label = re.search(r'<svg [^>]*role="img" aria-label="([^"]+)"', view.value)
    assert len(label[1]) > 15


def test_what_it_says_is_what_the_network_computes():
    from course.given import data, widgets
    from solutions.rnn import rnn_forward

    params = widgets._lively_params(4)
    a, trace = widgets._states("harry", params)
    x, _mask = data.encode_names(["harry"])
    right, _caches = rnn_forward(x, np.zeros((1, widgets.UNITS)), params)
    x[0] = 0
    without, _caches = rnn_forward(x, np.zeros((1, widgets.UNITS)), params)
    np.testing.assert_allclose(a, right[:, 0], rtol=1e-12)
    np.testing.assert_allclose(trace, np.linalg.norm((right - without)[:, 0], axis=1), rtol=1e-9)
