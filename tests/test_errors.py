"""The error of the package: one readable line, whatever is in the names that it quotes."""

from kconvert.drawing.page import environment
from kconvert.drawing.terminal import text
from kconvert.errors import LONGEST, KconvertError, printable


def test_a_name_of_megabytes_is_shortened():
    error = KconvertError(f"there is no layer {'x' * 10**7}y", f"{'a' * 10**6}.h5", "z" * 10**6)
    assert len(str(error)) < 4 * LONGEST
    assert "y; z" in str(error) and "xxx ... (9," in str(error) and ".h5: there is no layer xxx" in str(error)


def test_a_name_of_megabytes_is_drawn_without_its_middle():
    """To wrap it took minutes: an archive of 20 kB can hold such a name."""
    long = "x" * 10**6 + "\n" + "y" * 10**6
    page = environment("kconvert.drawing").from_string("{{ name }}")
    for shown in (printable(long), text(long).plain, page.render(name=long)):
        assert len(shown) < LONGEST + 100 and shown.startswith("xxx") and shown.endswith("yyy")


def test_a_usual_message_is_whole():
    path = "/".join(["x" * 255] * 16)
    assert str(KconvertError("is empty", path, "give another")) == f"{path}: is empty; give another"
