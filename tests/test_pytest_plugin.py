"""The pytest plugin, as a project uses it to test its models."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.fixtures import case
from tests.verification.damage import converted, damage

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
NO_FRAMEWORKS = "from kconvert import backend\nbackend._installed = lambda *packages: None\n"
TESTS = """
def test_good(kconvert_agree):
    assert kconvert_agree("in.h5", "good.h5").equal

def test_bad(kconvert_agree):
    kconvert_agree("in.h5", "bad.h5")

def test_broken(kconvert_agree):
    kconvert_agree("in.h5", "broken.h5")
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """Runs tests in a folder with a model, a correct conversion of it, and wrong ones."""
    source, target = converted("lenet_th", pytester.path)
    shutil.copy(source, pytester.path / "in.h5")
    shutil.copy(target, pytester.path / "good.h5")
    target.rename(pytester.path / "bad.h5")
    damage(pytester.path / "bad.h5", **{"conv2d_2:kernel": lambda kernel: kernel[::-1, ::-1]})
    (pytester.path / "broken.h5").write_bytes(b"no HDF5")
    pytester.makeconftest(NO_FRAMEWORKS)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(tests, *options):
        pytester.makepyfile(tests)
        return pytester.runpytest_subprocess("-p", "kconvert.pytest_plugin", *options)

    run.path = pytester.path
    return run


def test_files_that_agree_pass_and_others_fail_with_the_reason(project):
    result = project(TESTS)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.re_match_lines([r"in\.h5 -> bad\.h5: DIFFERS, first at conv2d_2 \(Conv2D\): error .*"])
    result.stdout.fnmatch_lines(["broken.h5: *"])
    result.stdout.fnmatch_lines(["*test_good: in.h5 -> good.h5: EQUAL with NumPy emulating Theano and TensorFlow: *"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_all_files_are_in_one_report(project, workers):
    project.path.joinpath("reports").mkdir()
    paths = ["reports/all.json", "reports/all.xml"]
    result = project(TESTS, *workers, *(f"--kconvert-report={path}" for path in paths))
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["DIFFERS: 3 files, 1 equal, 1 differ, 1 could not be verified"])
    files = json.loads((project.path / paths[0]).read_text())["files"]
    states = {re.sub(r".*::", "", file["name"]): file["state"] for file in files}
    assert states == {
        "test_good: in.h5 -> good.h5": "equal",
        "test_bad: in.h5 -> bad.h5": "differs",
        "test_broken: in.h5 -> broken.h5": "error",
    }
    assert (project.path / paths[1]).read_text().count("<testsuite ") == 3


def test_one_file_across_backends(project):
    result = project(
        """
        def test_it(kconvert_converts):
            for _ in range(2):
                report = kconvert_converts("in.h5", target="tensorflow", samples=2)
            assert report.samples == 2 and report.target.convention == "keras2/tensorflow"
            kept = kconvert_converts("in.h5", "tensorflow", conversion={"data_format": "keep"})
            assert kept.equal

        def test_wrong_words(kconvert_converts):
            kconvert_converts("in.h5", target="caffe")
        """
    )
    result.assert_outcomes(passed=1, failed=1)


def test_weights_alone(project):
    found = case("2.3.1-theano/lenet_th")
    options = f"arch={str(found.folder / 'arch.json')!r}"
    result = project(
        f"""
        def test_it(kconvert_converts):
            kconvert_converts({str(found.folder / "weights.h5")!r}, "tensorflow", {options})
        """
    )
    result.assert_outcomes(passed=1)


def test_a_report_that_cannot_be_written_is_refused_before_any_test(project):
    result = project(TESTS, "--kconvert-report=report.pdf")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *no form of report has the suffix '.pdf'; one of: *"])


def test_a_run_that_compares_nothing_proves_nothing(project):
    result = project("def test_nothing(): pass", "--kconvert-report=all.md")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["NOT PROVED: no files"])
    assert "NOT PROVED" in (project.path / "all.md").read_text(encoding="utf-8")


def test_nothing_is_loaded_before_it_is_used(project):
    result = project(
        """
        import sys

        def test_it():
            heavy = {"kconvert.verification", "kconvert.verification.report", "h5py", "theano", "tensorflow"}
            assert not heavy & sys.modules.keys()
        """,
        "-p",
        "no:cacheprovider",
        "--noconftest",
    )
    result.assert_outcomes(passed=1)


def test_the_page_shows_tests_that_run(project):
    (shown,) = re.findall(r"^```py\n(.*?)^```$", (ROOT / "docs" / "ci.md").read_text(encoding="utf-8"), re.M | re.S)
    (project.path / "models").mkdir()
    shutil.copy(project.path / "in.h5", project.path / "models" / "lenet.h5")
    shutil.copy(project.path / "good.h5", project.path / "models" / "lenet.tensorflow.h5")
    project(shown).assert_outcomes(passed=2)


def test_pytest_finds_it_where_kconvert_is_installed():
    assert '"pytest11": ["kconvert = kconvert.pytest_plugin"]' in (ROOT / "setup.py").read_text(encoding="utf-8")
