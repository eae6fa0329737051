"""Pages of plans, inspections and models in a real browser, on a desk and on a phone, and in a frame of a notebook."""

import pytest

import kconvert as kc
from kconvert.drawing.notebook import framed
from kconvert.network import page as network_page
from tests.browser import MISSING, chromium
from tests.cli.commands import HAZARD, LENET
from tests.conversion.pages.test_pages import planned, rude  # noqa: F401  (a fixture)

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture(scope="module")
def pages(rude, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "plan": planned(LENET / "model.h5"),
        "refused": planned(HAZARD / "model.h5", repair=False),
        "rude plan": planned(rude, "theano"),
        "rude inspection": kc.inspect(rude).page(),
        "model": network_page.render(kc.inspect(rude).network),
        "notebook": f"<!doctype html><body>{framed(planned(rude, 'theano'), 'Plan')}</body>",
    }
    for name, text in made.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    path = chromium()
    assert path, MISSING
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path)
        yield running
        running.close()


NAMES = ("plan", "refused", "rude plan", "rude inspection", "model", "notebook")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_quiet_and_as_wide_as_its_window(browser, pages, name, width):
    odd = []
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        url = (pages / f"{name}.html").as_uri()
        page.on(
            "request", lambda request: odd.append(request.url) if request.url not in (url, "about:srcdoc") else None
        )
        page.on("console", lambda message: odd.append(message.text))
        page.on("pageerror", lambda error: odd.append(str(error)))
        page.on("dialog", lambda dialog: (odd.append(dialog.message), dialog.dismiss()))
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert odd == []


def test_in_a_frame_tables_can_be_filtered(browser, pages):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((pages / "notebook.html").as_uri())
        frame = page.frame_locator("iframe")
        frame.get_by_label("only weights that are rearranged").check()
        assert frame.locator("#ways tbody tr:visible").count() < frame.locator("#ways tbody tr").count()
