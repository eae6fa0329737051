"""Made-up data in place of the files that example scripts of Keras download, or ask the user to download.

Each has the form of the file that it stands for, and little content. What a script learns from it means nothing.
"""

from __future__ import annotations

import io
import itertools
import random
import string
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

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
    """Writes all of them into `folder`."""
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
    """A folder of texts for each topic; each text has words of its own, in all more than a script numbers."""
    draw = random.Random(4)
    for topic in ("one", "two"):
        (path / topic).mkdir(parents=True, exist_ok=True)
        for number in range(40):
            text = " ".join([*draw.choices(WORDS, k=30), *(f"{topic}{number}word{i}" for i in range(300))])
            (path / topic / f"{100 + number}").write_text(f"Subject: {topic}\n\n{text}\n")


def _word_lists(path: Path) -> None:
    """An archive of two lists: words of four letters, and pairs of words."""
    words = ["".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=4)]
    lists = {"mono": words[:20_000], "bi": [f"{word} {word}" for word in words[20_000:40_000]]}
    with tarfile.open(path, "w:gz") as archive:
        for name, lines in lists.items():
            content = "\n".join(lines).encode()
            member = tarfile.TarInfo(f"wordlist_{name}_clean.txt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _picture(path: Path) -> None:
    """A picture of noise, small and narrow because scripts scale it to 400 rows or shrink it to half its size."""
    _image(path, np.random.default_rng(5).integers(0, 256, (320, 160, 3)))


def _mask(path: Path) -> None:
    """A picture of two colours."""
    pixels = np.zeros((64, 64, 3))
    pixels[:, 32:] = 255
    _image(path, pixels)


def _image(path: Path, pixels: np.ndarray) -> None:
    from PIL import Image

    Image.fromarray(pixels.astype("uint8")).save(path)


STAND_INS: Mapping[str, Callable[[Path], None]] = {
    "nietzsche.txt": _texts,
    "babi-tasks-v1-2.tar.gz": _stories,
    "fra-eng/fra.txt": _sentences,
    "glove.6B/glove.6B.100d.txt": _vectors,
    "20_newsgroup": _news,
    "wordlists.tgz": _word_lists,
    "picture.png": _picture,
    "mask.png": _mask,
}
"""The files, relative to the folder in which a script runs, and what writes each."""


# ------------------------------------------------------------- weights of networks ----

NETWORKS = {"vgg16": "VGG16", "vgg19": "VGG19", "inception_v3": "InceptionV3", "resnet50": "ResNet50"}
"""The networks by the beginning of the names of their files."""


def write_weights(folder: Path, names: Sequence[str], filters: int | None) -> None:
    """Writes files of initial weights from a seed in place of the trained ones of Keras.

    names: of the files of Keras. filters: how many of the filters of the last block of convolutions ever activate.
    """
    from kconvert.keras import applications

    for name in names:
        np.random.seed(6)
        network = getattr(applications, NETWORKS[name.partition("_weights_")[0]])
        model = network(weights=None, include_top="_notop" not in name)
        if filters is not None:
            last = model.get_layer("block5_conv1")
            kernel, bias = last.get_weights()
            last.set_weights([kernel, np.where(np.arange(len(bias)) < filters, 1.0, -1e9)])
        model.save_weights(folder / name)
