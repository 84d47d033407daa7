"""The overview of a class as an instructor sees it: in a browser, wide and narrow, light and dark."""

import pytest

from autograder.grading import classroom, demo, overview
from autograder.grading.grade import grade, surveyed
from course.tests.looking import ANY, CHROMIUM, NARROW, WIDE, browsing, keep, violations

UNITS = ("01_sequences", demo.UNIT)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: no page was looked at"),
]

SCROLLS = """e => [...e.querySelectorAll('*')]
    .filter(x => x instanceof HTMLElement && x.scrollWidth > x.clientWidth + 1 && x.clientWidth)
    .filter(x => x.tabIndex < 0).map(x => x.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def page_of_a_class(tmp_path_factory):
    folder = tmp_path_factory.mktemp("overview") / "class"
    classroom.new(folder)
    for unit in UNITS:
        demo.hand_in(folder, demo.crowd(12, unit), unit)
    grade(folder, *UNITS, quiet=True)
    surveys = [surveyed(folder, unit) for unit in UNITS]
    return overview.page(folder, surveys, alike=dict.fromkeys(UNITS, ()))


@pytest.fixture(scope="module")
def chromium():
    with browsing() as browser:
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_it_can_be_read_and_used_by_anybody(page_of_a_class, chromium, scheme, width):
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True
    )
    page = context.new_page()
    errors = []
    page.on("console", lambda message: errors.append(message.text))
    page.on("request", lambda request: errors.append(request.url))
    page.goto(page_of_a_class.as_uri())
    for closed in page.query_selector_all("details"):
        closed.evaluate("e => e.open = true")
    keep(page.locator("body"), f"overview-{scheme}-{width}")
    body = page.query_selector("html")
    assert violations(body, ANY) == []
    assert body.evaluate(SCROLLS) == [], "what is wide scrolls by keyboard in its own box"
    page.click("a[href='#02_rnn_forward']")
    assert page.locator("h2", has_text="02_rnn_forward").is_visible()
    assert errors == [page_of_a_class.as_uri()]
    context.close()
