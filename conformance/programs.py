"""Cases as programs, each run in its own runtime, against what real Keras computed.

    python -m conformance.programs CORPUS RESULTS [--group RELEASE-BACKEND] [--every K]

Each outcome is a line of JSON in the file RESULTS. The command can be stopped and started again: what has a line is not
run again. A case that ended the process is tried once.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from kconvert.conversion.source import Source
from kconvert.errors import KconvertError
from kconvert.export.files import Export, export_model
from kconvert.verification.matching import in_layout
from kconvert.verification.pairing import Inputs
from kconvert.verification.verifier import Verifier

from .cases import Case, Result, compared

FORMS = {"SavedModel": "saved_model/", "LiteRT": "model.tflite", "ONNX": "model.onnx"}
GROUPS = ("1.2.2-theano", "2.3.1-tensorflow")


def main() -> int:
    options = _options()
    logging.getLogger("kconvert").setLevel(logging.ERROR)
    done = _done(options.results)
    with options.results.open("a", encoding="utf-8") as results, Verifier() as verifier:
        for group in options.group or GROUPS:
            for folder in sorted(path for path in (options.corpus / group).iterdir() if path.is_dir())[
                :: options.every
            ]:
                for form in FORMS:
                    key = f"{group}/{folder.name}/{form}"
                    if key in done:
                        continue
                    _write(results, key, Result(False, reason="the process ended"))
                    _write(results, key, checked(verifier, Case(folder), form))
    _summarize(_done(options.results))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m conformance.programs", description="programs against real Keras")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("results", type=Path, help="the file of the outcomes, which is added to")
    parser.add_argument("--group", action="append", help=f"RELEASE-BACKEND (repeatable; default {' '.join(GROUPS)})")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only each K-th case of a group")
    return parser.parse_args()


def _write(results: object, key: str, result: Result) -> None:
    print(json.dumps({"case": key, **asdict(result)}), file=results, flush=True)  # type: ignore[call-overload]


def _done(path: Path) -> dict[str, Result]:
    """The last outcome of each case."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = (json.loads(line) for line in lines)
    return {one.pop("case"): Result(**one) for one in found}


def checked(verifier: Verifier, case: Case, form: str) -> Result:
    """Whether a program gives the outputs of real Keras; None where it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = export_model(
                case.model,
                f"{folder}/{FORMS[form]}",
                case.backend,
                arch=case.arch,
                source_data_format=case.data_format,
            )
        except KconvertError as error:
            return Result(None, reason=str(error).replace(folder, ""))
        try:
            return _ran(verifier, case, done)
        except KconvertError as error:
            return Result(False, reason=str(error).replace(folder, ""))


def _ran(verifier: Verifier, case: Case, done: Export) -> Result:
    source = Source(case.model, case.backend, case.data_format, case.arch)
    pairing = verifier.pair(source, Source(done.target), Inputs(arrays=case.arrays("x")), done.plan)
    tensors = verifier.run_target(pairing).load()
    wanted = [in_layout(y, layout) for y, layout in zip(case.arrays("y"), done.plan.result.outputs, strict=True)]
    return compared([tensors[ref.key] for ref in pairing.match.model.output_refs], wanted)


def _summarize(outcomes: dict[str, Result]) -> None:
    for form in FORMS:
        own = {key: result for key, result in outcomes.items() if key.endswith(f"/{form}")}
        counts: Counter[str] = Counter(_state(result) for result in own.values())
        print(f"{form}: {counts['right']} right, {counts['wrong']} wrong, {counts['refused']} refused of {len(own)}")
    for key, result in outcomes.items():
        if not result.passed:
            print(f"  {_state(result):8} {key}: {result.reason}")


def _state(result: Result) -> str:
    return {True: "right", False: "wrong", None: "refused"}[result.passed]


if __name__ == "__main__":
    raise SystemExit(main())
