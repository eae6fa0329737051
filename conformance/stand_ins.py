"""Made-up data in place of the files that example scripts of Keras download, or ask the user to download.

Each has the form of the file that it stands for, and little content. What a script learns from it means nothing.
"""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

WORDS = [
    "time",
    "person",
    "year",
    "way",
    "day",
    "thing",
    "man",
    "world",
    "life",
    "hand",
    "part",
    "child",
    "eye",
    "woman",
    "place",
    "work",
    "week",
    "case",
    "point",
]


def write_all(folder: Path) -> None:
    """Writes all of them: the data sets into `folder`/datasets, the others into `folder`."""
    for name, write in STAND_INS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)


def _texts(path: Path) -> None:
    """A text of words."""
    draw = random.Random(1)
    path.write_text("".join(" ".join(draw.choices(WORDS, k=12)) + ".\n" for _ in range(60)))


def _stories(path: Path) -> None:
    """Stories with questions about them: two tasks, of two sizes, each for training and for testing."""
    with tarfile.open(path, "w:gz") as archive:
        for size in ("en", "en-10k"):
            for task in ("qa1_single-supporting-fact", "qa2_two-supporting-facts"):
                for part in ("train", "test"):
                    content = _questions(f"{size} {task} {part}").encode()
                    member = tarfile.TarInfo(f"tasks_1-20_v1-2/{size}/{task}_{part}.txt")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))


def _questions(seed: str) -> str:
    draw, lines = random.Random(seed), []
    for _ in range(64):
        who, where, other = draw.choice(["Mary", "John"]), *draw.sample(["kitchen", "garden", "office"], 2)
        lines += [f"1 {who} went to the {other}.", f"2 {who} moved to the {where}."]
        lines += [f"3 Where is {who}? \t{where}\t2"]
    return "".join(f"{line}\n" for line in lines)


def _sentences(path: Path) -> None:
    """Sentences in two languages."""
    draw = random.Random(2)
    lines = [draw.choices(WORDS, k=3) for _ in range(200)]
    path.write_text("".join(f"{' '.join(line)}.\t{' '.join(reversed(line))} !\n" for line in lines))


def _vectors(path: Path) -> None:
    """A vector of 100 numbers for each word."""
    draw = random.Random(3)
    path.write_text(
        "".join(f"{word} " + " ".join(f"{draw.gauss(0, 1):.3f}" for _ in range(100)) + "\n" for word in WORDS)
    )


def _news(path: Path) -> None:
    """A folder of texts for each topic."""
    draw = random.Random(4)
    for topic in ("one", "two"):
        (path / topic).mkdir(parents=True, exist_ok=True)
        for number in range(40):
            text = " ".join(draw.choices(WORDS, k=30))
            (path / topic / f"{100 + number}").write_text(f"Subject: {topic}\n\n{text}\n")


STAND_INS: Mapping[str, Callable[[Path], None]] = {
    "datasets/nietzsche.txt": _texts,
    "datasets/babi-tasks-v1-2.tar.gz": _stories,
    "fra-eng/fra.txt": _sentences,
    "glove.6B/glove.6B.100d.txt": _vectors,
    "20_newsgroup": _news,
}
"""The files, relative to the folder in which a script runs, and what writes each."""
