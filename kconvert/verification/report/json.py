"""JSON, as docs/report.schema.json describes it."""

from __future__ import annotations

import json

from ..value import Report, Summary


def render(done: Report | Summary) -> str:
    return json.dumps(done.to_json(), indent=2, allow_nan=False) + "\n"
