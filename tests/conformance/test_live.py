"""`python -m conformance.live`: a case is right in both libraries, and a run goes on where it was stopped."""

import json

import pytest

from conformance import live, resumable
from conformance.cases import Result
from tests.fixtures import FOLDER, case


@pytest.mark.parametrize("runner", ["keras", "tf_keras"])
def test_a_live_model_is_checked(runner):
    assert live.checked(case("1.2.2-theano/lenet_th"), runner).passed
    refused = live.checked(case("1.0.8-theano/deconv2d_same_stride2_th"), runner)
    assert refused.passed is None and "output_shape" in refused.reason


def test_a_run_goes_on_where_it_was_stopped(tmp_path, capsys):
    results, tried = tmp_path / "results.jsonl", []

    def check(found, form):
        tried.append(found.name)
        return Result(len(tried) > 1, reason="the first one")

    words = [str(FOLDER), str(results), "--group", "1.0.8-tensorflow"]
    options = resumable.parser("x", "x").parse_args(words)
    resumable.run(options, ("form",), check)
    assert len(tried) == 2 and "1 right, 1 wrong, 0 refused of 2" in capsys.readouterr().out
    lines = results.read_text().splitlines()
    results.write_text("\n".join(lines[:-1]) + "\n")  # stopped within the last case
    resumable.run(options, ("form",), check)
    assert len(tried) == 2 and "the process ended" in capsys.readouterr().out
    assert all(json.loads(line)["case"].endswith("/form") for line in lines)
