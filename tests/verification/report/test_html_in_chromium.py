"""HTML in a real browser: tables sort and filter, nothing is fetched, it fits a phone, it is legible in the dark."""

import re

import pytest

from kconvert.verification.report.writing import write_report
from kconvert.verification.value import Entry, Summary
from tests.browser import MISSING, chromium
from tests.verification.report.reports import DIFFERS, EQUAL, MANY, NOTHING, RUDE_ONES, RUDELY, SHAPES, report

pytestmark = pytest.mark.needs("chromium")

PAGES = {
    "equal": EQUAL,
    "differs": DIFFERS,
    "nothing": NOTHING,
    "shapes": SHAPES,
    "rude": RUDELY,
    "rude ones": RUDE_ONES,
    "many": MANY,
    "deep": report(500, wrong_from=300),
}


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    path = chromium()
    assert path, MISSING
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path)
        yield running
        running.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, done in PAGES.items():
        write_report(folder / f"{name}.html", done)
    return folder


@pytest.fixture
def show(browser, folder):
    """Opens a page; whatever it fetches, complains of or asks fails the test."""
    contexts, odd = [], []

    def show(name, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        url = (folder / f"{name}.html").as_uri()
        page.on("request", lambda request: odd.append(request.url) if request.url != url else None)
        page.on("console", lambda message: odd.append(message.text))
        page.on("pageerror", lambda error: odd.append(str(error)))
        page.on("dialog", lambda dialog: (odd.append(dialog.message), dialog.dismiss()))
        page.goto(url)
        return page

    yield show
    for context in contexts:
        context.close()
    assert odd == []


def column(page, i, table="#file-0-layers"):
    cells = page.locator(f"{table} tbody tr:not([hidden]) > :nth-child({i})").all_text_contents()
    return [cell.strip() for cell in cells]


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_is_quiet_and_as_wide_as_its_window(show, name, width):
    page = show(name, viewport={"width": width, "height": 800})
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("h1").count() == 1


def test_the_policy_stops_what_would_be_fetched_or_run(browser, folder):
    page = browser.new_context().new_page()
    page.goto((folder / "equal.html").as_uri())
    with page.expect_event("requestfailed") as stopped:
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title = 1\">')")
    assert stopped.value.failure == "csp"
    assert page.title() != "1"
    page.context.close()


def test_columns_sort_by_value_and_say_so(show):
    page = show("differs")
    head = page.get_by_role("columnheader", name="max error")
    assert column(page, 1) == ["1", "2", "3", "4", "5"]
    for order in ("descending", "ascending"):
        head.get_by_role("button").click()
        values = [float(value) for value in column(page, 5)]
        assert values == sorted(values, reverse=order == "descending")
        assert head.get_attribute("aria-sort") == order
    assert page.locator("[aria-sort]").count() == 1
    page.get_by_role("columnheader", name="#").get_by_role("button").click()
    assert column(page, 1) == ["1", "2", "3", "4", "5"]


def test_names_sort_as_people_count(show):
    page = show("deep")
    head = page.get_by_role("columnheader", name="layer")
    head.get_by_role("button").click()
    assert column(page, 2)[9:12] == ["conv_9", "conv_10", "conv_11"]
    head.get_by_role("button").click()
    assert column(page, 2)[0] == "output 0: conv_499"


def test_what_has_no_number_sorts_beyond_all_numbers(show):
    page = show("shapes")
    page.get_by_role("columnheader", name="max error").get_by_role("button").click()
    assert column(page, 2)[0] == "dense"


def test_the_keyboard_sorts(show):
    page = show("differs")
    page.get_by_role("columnheader", name="cosine").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("columnheader", name="cosine").get_attribute("aria-sort") == "descending"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent") == "mean error"


def test_filters(show):
    page = show("deep")
    count = page.locator("form.filter output")
    assert count.text_content() == "501 of 501"
    page.get_by_label("Filter").fill("CONV_49")
    assert column(page, 2) == ["conv_49", *(f"conv_49{i}" for i in range(10)), "output 0: conv_499"]
    page.get_by_label("only layers that differ").check()
    assert "conv_49" not in column(page, 2) and count.text_content() == "11 of 501"
    page.get_by_label("Filter").fill("")
    assert count.text_content() == "201 of 501"
    page.keyboard.press("Enter")
    assert count.text_content() == "201 of 501", "nothing is submitted"


def test_a_link_unfolds_its_file(show):
    page = show("many")
    assert not page.locator("#file-0 article").is_visible()
    page.get_by_role("link", name="good.h5").click()
    page.locator("#file-0 article").wait_for(state="visible")
    assert page.locator("#file-1 article").is_visible(), "what differs is unfolded from the start"


def test_without_scripts_it_is_still_read(show):
    page = show("differs", java_script_enabled=False)
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.locator("#file-0-layers tbody tr").count() == 5
    assert not page.locator("form.filter").is_visible()


def test_what_a_screen_reader_is_told(show):
    page = show("differs")
    unfold(page)
    names = page.get_by_role("img").evaluate_all("all => all.map((each) => each.querySelector('title').textContent)")
    assert names[0].startswith("Error of each layer in the order of the graph")
    assert "Largest error in conv_2 by position: axis 1 (10) downwards, axis 2 (8) to the right" in names
    for table in page.get_by_role("table").all():
        assert table.locator("caption").text_content().strip()
    assert page.locator("th:not([scope])").count() == 0
    ids = page.evaluate("Array.from(document.querySelectorAll('[id]'), (each) => each.id)")
    assert len(ids) == len(set(ids))


# --------------------------------------------------------------------- colours ----


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


TEXTS = "h1, h2, h3, p, dt, dd, td, th, a, code, label, b, button, .state, .kind"
COLOURS = """all => all.map(each => {
  let back = each;
  while (getComputedStyle(back).backgroundColor === "rgba(0, 0, 0, 0)") back = back.parentElement;
  return [each.textContent, getComputedStyle(each).color, getComputedStyle(back).backgroundColor];
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["equal", "differs", "many"])
def test_every_text_is_legible(show, name, scheme):
    page = show(name, color_scheme=scheme)
    unfold(page)
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(back) < 0.05) == (scheme == "dark")
    for text, *colours in page.locator(TEXTS).evaluate_all(COLOURS):
        assert contrast(*colours) >= 4.5, (text, colours)


def test_many_files_are_one_page(browser, tmp_path):
    path = write_report(tmp_path / "many.html", Summary([Entry(f"folder/{i}.h5", EQUAL) for i in range(60)]))
    page = browser.new_page()
    page.goto(path.as_uri())
    page.get_by_label("Filter").first.fill("59")
    assert column(page, 1, "#files") == ["folder/59.h5"]
    page.close()
