"""Pages of inspections and plans: what they say and mark, that nothing comes from outside, and that names are text."""

import re
from html import unescape

import numpy as np
import pytest

import kconvert as kc
from kconvert import layers
from kconvert.conversion.opening import open_source
from kconvert.conversion.planning import plan_conversion
from kconvert.conversion.source import Source
from kconvert.conversion.target import Target
from tests.cli.commands import EQUAL, FIXTURES, HAZARD, LENET, UNSUPPORTED, USAGE, refused, run

RUDE = "<script>alert(1)</script>"
FOREIGN = re.compile(r"""(?:src|href)\s*=|url\(|@import|<(?:img|iframe|link|object|embed)\b""")


def planned(path, to="tensorflow", **options):
    """The page of a plan, made while its source is open."""
    source = Source(path)
    with open_source(source) as checkpoint:
        return plan_conversion(checkpoint, source, Target(to, **options)).page()


def text_of(page):
    body = page.partition("<body>")[2].partition("<script>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def kinds(page):
    """The marks of each box, by its title."""
    boxes = re.findall(r'<g class="box ([^"]*)"><title>([^<]*)</title>', page)
    return {unescape(title).split(" ")[0]: kinds.split() for kinds, title in boxes}


@pytest.fixture(scope="module")
def rude(tmp_path_factory):
    """A network with branches, a nested network, and names that are markup and codes of terminals."""
    x = kc.Input((12, 12, 3), name=RUDE)
    y = layers.concatenate([layers.Conv2D(2, 3, padding="same")(x), layers.AveragePooling2D(2, 1, padding="same")(x)])
    inner = kc.Sequential([layers.Conv2D(4, 3, input_shape=(12, 12, 5)), layers.Flatten(), layers.Dense(2)], name="in")
    model = kc.Model(x, layers.Dense(3, name="out\x1b[2J&<b>")(inner(y)))
    model.start("numpy")
    path = tmp_path_factory.mktemp("rude") / "rude.h5"
    model.save(path)
    return path


# --------------------------------------------------------------------- plan ----


def test_a_plan_marks_rearranged_weights_and_shows_their_way():
    page = planned(LENET / "model.h5")
    marked = {name for name, found in kinds(page).items() if "rearranged" in found}
    assert marked == {"convolution2d_1", "convolution2d_2", "dense_1"}
    assert "convolution2d_1_W 4x1x3x3 transpose oihw->hwio flip hw of hwio convolution2d_1/kernel:0 3x3x1x4" in (
        text_of(page)
    )
    assert "dense_2/kernel dense_2_W 8x6 as stored" in text_of(page)


def test_a_kernel_is_shown_before_and_after():
    """The map of a reversed kernel is that of the kernel, reversed."""
    page = planned(LENET / "model.h5")
    before, after = (
        cells(re.search(rf"{when}: flip hw of hwio</title>(.*?)</svg>", page, re.DOTALL)[1])
        for when in ("kernel before", "kernel after")
    )
    assert before.shape == (3, 3) and len(np.unique(before)) > 2
    np.testing.assert_array_equal(after, before[::-1, ::-1])


def cells(paths):
    """The levels of a heat map, read back from its paths."""
    found = np.full((3, 3), -1)
    for level, path in re.findall(r'class="v(\d)" d="([^"]*)"', paths):
        for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)", path):
            found[int(y), int(x) : int(x) + int(n)] = int(level)
    return found


def test_repairs_and_refusals_are_marked():
    repaired, refused_page = planned(HAZARD / "model.h5"), planned(HAZARD / "model.h5", repair=False)
    assert kinds(repaired)["average_pooling2d_1"] == ["repaired"]
    assert "average_pooling2d_1 (AveragePooling2D) is rewritten: padding='same' puts 1" in text_of(repaired)
    assert kinds(refused_page)["average_pooling2d_1"] == ["hazard"]
    assert text_of(refused_page).startswith("kconvert plan Cannot be converted keras2/theano to keras2/tensorflow")


def test_a_plan_whose_file_is_closed_has_a_page():
    source = Source(LENET / "model.h5")
    with open_source(source) as checkpoint:
        plan = plan_conversion(checkpoint, source, Target("tensorflow"))
    assert "The way of each array" in plan.page() and "<iframe" in plan._repr_html_()
    assert repr(plan) == "<Plan keras1/theano -> keras2/tensorflow, channels_last: 8 weights, 3 rearranged>"


# --------------------------------------------------------------- inspection ----


def test_an_inspection_says_what_it_is_and_marks_hazards():
    found = kc.inspect(HAZARD / "model.h5")
    page = found.page()
    assert kinds(page)["average_pooling2d_1"] == ["hazard"]
    assert "backend theano the backend attribute of the weights" in text_of(page)
    assert "tensorflow : 1 layer would compute other outputs unless rewritten" in text_of(page)
    assert repr(found).endswith("model.h5: keras2, theano, 1 layer, 0 parameters>")
    assert "network" not in found.to_json()


@pytest.mark.parametrize("name", ["lenet_th/weights.h5", "lenet_th/model.h5"])
def test_every_array_is_listed(name):
    found = kc.inspect(FIXTURES / "1.2.2-theano" / name)
    text = text_of(found.page())
    assert all(weight.name in text for layer in found.layers for weight in layer.weights)
    assert ("from the inputs to the outputs" in text) == (found.network is not None)


# ------------------------------------------------------------ names are text ----


def test_names_are_nothing_but_names(rude):
    for page in (planned(rude, "theano"), kc.inspect(rude).page()):
        body = page.partition("<body>")[2]
        assert RUDE not in body and "\x1b" not in page and "<b>" not in body
        assert body.count("<script") == 1 and not FOREIGN.search(body)
        assert RUDE in text_of(page) and "out\\x1b[2J&<b>" in text_of(page)


def test_nested_networks_have_pictures_and_their_marks_are_seen_outside(rude):
    page = planned(rude, "theano")
    assert page.count('<svg class="graph"') == 2
    assert "rearranged" in kinds(page)["in#1"] and "repaired" in kinds(page)["average_pooling2d_1"]


# ------------------------------------------------------------- command line ----


def test_the_commands_write_pages(tmp_path):
    pages = [tmp_path / f"page{form}" for form in (".html", ".json", ".txt")]
    options = [word for path in pages for word in ("--report", path)]
    assert run("inspect", LENET / "model.h5", *options).exit_code == EQUAL
    assert all("convolution2d_1" in path.read_text(encoding="utf-8") for path in pages)
    result = run("plan", HAZARD / "model.h5", "--to", "tensorflow", "--no-repair", *options)
    assert result.exit_code == UNSUPPORTED
    assert all("average_pooling2d_1" in path.read_text(encoding="utf-8") for path in pages)


def test_pages_that_cannot_be_written_are_refused(tmp_path):
    refused(USAGE, "no page has the suffix '.md'", "inspect", LENET / "model.h5", "--report", tmp_path / "a.md")
    refused(USAGE, "nowhere", "inspect", LENET / "model.h5", "--report", tmp_path / "nowhere" / "a.html")
    arch = tmp_path / "arch.json"
    arch.write_text((LENET / "arch.json").read_text())
    words = ["inspect", LENET / "weights.h5", "--arch", arch, "--report", arch]
    refused(USAGE, "is the architecture given itself", *words)
    assert arch.read_text() == (LENET / "arch.json").read_text()
