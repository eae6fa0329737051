"""The fixtures: what real Keras saved and computed (tests/fixtures/README.md)."""

from pathlib import Path

from conformance.cases import Case

FOLDER = Path(__file__).parent / "fixtures"


def case(name):
    """The case `release-backend/name`."""
    return Case(FOLDER / name)


def cases(*releases):
    """Every case that `releases` saved under either backend: a whole model, or weights with their architecture."""
    return [
        found
        for group in sorted(FOLDER.iterdir())
        if group.name.rpartition("-")[0] in releases
        for found in map(Case, sorted(group.iterdir()))
        if found.runs
    ]


def identify(found):
    return f"{found.folder.parent.name}/{found.name}"
