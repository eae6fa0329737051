"""Markdown: the verdict first, what differs, and names that are nothing but names."""

import re
from dataclasses import replace

from kconvert.verification.report.markdown import ROWS, SECTIONS, render
from kconvert.verification.tolerance import Tolerance
from kconvert.verification.value import Entry, Summary
from tests.verification.report.reports import DIFFERS, EQUAL, MANY, RUDE, RUDE_ONES, RUDELY, SHAPES, report


def rows(text):
    return [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| ---")]


def test_the_verdict_and_the_cause_come_first():
    lines = [line for line in render(DIFFERS).splitlines() if line]
    assert lines[0] == "## \N{CROSS MARK} in.h5 -> out.h5"
    assert lines[1].startswith("**DIFFERS, first at conv_2 (Conv2D): error ")
    assert lines[2] == "- conv_2 (Conv2D): kernel is reversed along hw; to repair it: flip hw of hwio (kernel)"
    assert lines[3].startswith("| layer | class | shape |")


def test_what_differs_worst_first():
    found = [row.split(" | ")[0] for row in rows(render(DIFFERS))][1:4]
    assert found == ["| conv_2 **(cause)**", "| conv_3", "| output 0: conv_3"]
    assert rows(render(SHAPES))[1].startswith("| dense | Dense | 2x3 | shapes differ")


def test_a_report_that_is_equal_is_short():
    text = render(EQUAL)
    assert text.startswith("## \N{LARGE YELLOW CIRCLE} in.h5")
    assert "conv_1" not in text
    assert "keras1/theano, ran on theano 1.0.5" in text


def test_long_tables_are_folded():
    text = render(report(60, wrong_from=10))
    shown, folded = text.split("<details>", 1)
    assert len(rows(shown)) == 1 + ROWS
    assert "<summary>31 more that differ</summary>" in folded
    assert len(rows(folded.split("</details>")[0])) == 1 + 31
    assert text.count("<details>") == text.count("</details>")


def test_a_summary_is_a_table_of_files():
    text = render(MANY)
    assert "DIFFERS: 3 files, 1 equal, 1 differ, 1 could not be verified" in text
    assert [row.split(" | ")[1] for row in rows(text)[1:4]] == ["sub/bad.h5", "broken.h5", "good.h5"]
    assert text.count("\n## ") == 1, "files that are equal have no section"


def test_a_summary_of_very_many_files_stays_below_what_github_takes():
    done = Summary([Entry(f"folder/model_{i}.h5", report(100, wrong_from=0)) for i in range(1)] * 1000)
    text = render(done)
    assert text.count("\n## ") == SECTIONS
    assert f"{1000 - SECTIONS} more files that differ" in text
    assert len(text.encode()) < 2**20


def test_a_loosened_tolerance_is_loud():
    assert render(replace(EQUAL, tolerance=Tolerance(rtol=1))).count("LOOSENED") == 2
    assert "LOOSENED" not in render(EQUAL)


def test_names_are_text():
    for done in (RUDELY, RUDE_ONES):
        text = render(done)
        assert RUDE not in text and "<img" not in text and "`" not in text
        widths = {len(re.split(r"(?<!\\)\|", row)) for row in rows(text)}
        assert widths <= {4, 5, 9}, "a name ends no cell"
