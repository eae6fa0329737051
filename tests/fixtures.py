"""The fixtures: what real Keras saved and computed (tests/fixtures/README.md)."""

from pathlib import Path

from kconvert.conformance.cases import Case

FOLDER = Path(__file__).parent / "fixtures"


def case(name):
    """The case `release-backend/name`."""
    return Case(FOLDER / name)


def cases(*releases):
    """Every case that `releases` saved under either backend as a whole model."""
    return [
        Case(path)
        for group in sorted(FOLDER.iterdir())
        if group.name.rpartition("-")[0] in releases
        for path in sorted(group.iterdir())
        if (path / "model.h5").exists()
    ]


def identify(found):
    return f"{found.folder.parent.name}/{found.name}"
