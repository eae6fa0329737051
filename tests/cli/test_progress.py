"""What a terminal shows while a command works: the stage, percent, and the time that is left."""

import io
import logging
import re

import pytest

from kconvert.cli.progress import _stages


@pytest.fixture
def lines(monkeypatch):
    """The lines that are drawn of one record after the other, without colours and commands to the terminal."""
    monkeypatch.setenv("TERM", "xterm")  # nothing is drawn in a dumb terminal

    def drawn(*records):
        stream = io.StringIO()
        with _stages(stream) as handler:
            for words, extra in records:
                record = logging.makeLogRecord({"msg": words, **extra})
                handler.emit(record)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue()).replace("\r", "\n").splitlines()

    return drawn


def test_long_work_shows_percent(lines):
    assert any(re.search(r"comparing files .* 25% ", line) for line in lines(("comparing files", {"progress": (1, 4)})))


def test_a_file_that_is_written_shows_percent_of_its_size(lines, tmp_path):
    path = tmp_path / "out.h5"
    path.write_bytes(b"x" * 30)
    found = lines(("writing out.h5", {"growing": (path, 60)}))
    assert any(re.search(r"writing out\.h5 .* 50% ", line) for line in found)


def test_a_name_is_no_markup(lines):
    assert any("running [red]a.h5" in line for line in lines(("running [red]a.h5", {})))
