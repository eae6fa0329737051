"""The forms of weight files and their file extensions, for writing and for a search in folders.

The case of the letters of an ending does not matter. Models are saved and files are read under any name, as in Keras.
"""

from __future__ import annotations

import os
from functools import lru_cache
from os import PathLike
from pathlib import Path

from ..arguments import argument
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass

SAME, KERAS2, KERAS3, TF_KERAS = "same", "keras2", "keras3", "tf_keras"
"""What `format` may be: a generation or a package that reads its files, or the generation of the source."""


@dataclass(frozen=True)
class Runtime:
    """What executes files that are programs."""

    title: str
    # the name of its row in the workers that run such files
    name: str
    # the package that is imported, and the extra that installs it
    package: str
    extra: str
    # the backend whose conventions the files have
    backend: str
    # the files are directories
    directory: bool = False
    # what weights with less precision may be, by the names of the options
    quantizations: tuple[str, ...] = ()
    # a file must have fewer bytes than this; None: any number
    limit: int | None = None
    # the packages that write its files, beside the backend; the extra installs them, too
    written_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """One form of files that a conversion writes."""

    # the endings of its files; the first one is that of default names
    endings: tuple[str, ...]
    # what `format` may be for them; the first one is meant where none is given
    formats: tuple[str, ...]
    # a file holds the architecture (True), weights alone (False), or what the source has (None)
    whole: bool | None = None
    # values of `format` that a shorter ending allows, but not this one, because their reader expects another form
    refuses: tuple[str, ...] = ()
    # what executes its files; None: they hold weights, and are read
    runtime: Runtime | None = None

    @property
    def is_of_any_backend(self) -> bool:
        """Whether its files can have the kernels of any backend."""
        return len(self.formats) > 1

    def has(self, name: str) -> bool:
        """Whether a file of the name, in lower case, has it. A directory has a slash at its end, or the usual name."""
        if self.runtime is not None and self.runtime.directory:
            return name.endswith(("/", os.sep)) or _last_part(name) == self.endings[0].rstrip("/")
        return _last_part(name).endswith(self.endings) and bool(Path(name).suffix)

    @property
    def needs_architecture(self) -> bool:
        """Whether the architecture is needed to find an array in a file."""
        return self.whole is not None


HDF5 = Form((".h5", ".hdf5"), (KERAS2, SAME, KERAS3, TF_KERAS))
ARCHIVE = Form((".keras",), (KERAS3,), whole=True)
WEIGHTS = Form((".weights.h5",), (KERAS3,), whole=False, refuses=(TF_KERAS,))

SAFETENSORS = Form((".safetensors",), (KERAS2, SAME))

_2_GB = 2**31 - 1  # of FlatBuffers and Protocol Buffers

SAVED_MODEL = Form(
    ("saved_model/",),
    (KERAS2,),
    whole=True,
    runtime=Runtime("TensorFlow", "saved_model", "tensorflow", "tensorflow", "tensorflow", directory=True),
)
LITERT = Form(
    (".tflite",),
    (KERAS2,),
    whole=True,
    runtime=Runtime(
        "LiteRT",
        "litert",
        "ai_edge_litert",
        "litert",
        "tensorflow",
        quantizations=("float16", "dynamic"),
        limit=_2_GB,
    ),
)
ONNX = Form(
    (".onnx",),
    (KERAS2,),
    whole=True,
    runtime=Runtime("ONNX", "onnx", "onnxruntime", "onnx", "tensorflow", limit=_2_GB, written_by=("tf2onnx", "onnx")),
)

FORMS = (SAVED_MODEL, ARCHIVE, WEIGHTS, HDF5, SAFETENSORS, LITERT, ONNX)
"""In the order in which a name is compared with their endings."""

ENDINGS = HDF5.endings + ARCHIVE.endings + SAFETENSORS.endings
"""The endings of the names of weight files; those with two dots end in one of them."""

WRITTEN = (*ENDINGS, *LITERT.endings, *ONNX.endings, *SAVED_MODEL.endings)
"""The endings of all that is written."""


READ_ALONE = (
    ".index",  # a checkpoint of TensorFlow
)
"""The endings of files that are read and not written."""


@lru_cache(1)  # one name after the other is compared with all endings
def _last_part(name: str) -> str:
    return Path(name).name


def program_runtime(path: str | PathLike[str]) -> Runtime | None:
    """What executes the program at a path, by its name; None where it is none."""
    name = os.fspath(path).lower()
    found = (form.runtime for form in FORMS if form.runtime is not None and form.has(name))
    return next(found, None)


def is_known(path: Path) -> bool:
    """Whether a file has the ending of one that a conversion writes."""
    return path.suffix.lower() in ENDINGS


def is_read(path: Path) -> bool:
    """Whether a file has the ending of one that is read."""
    return is_known(path) or path.suffix.lower() in READ_ALONE


def form_of(path: str | PathLike[str], wanted: str | None = None) -> tuple[Form, str]:
    """The form of a file to write by its ending, and the `format` that is written.

    wanted: what the user gives for `format`. With it, weights of Keras 2 may have the ending of those of Keras 3.
    Raises KconvertError (USAGE) where the ending is unknown, or contradicts `wanted`.
    """
    name = os.fspath(path).lower()
    fitting = [form for form in FORMS if form.has(name)]
    if not fitting:
        ending = Path(path).suffix
        what = f"kconvert writes no files that end in {ending!r}" if ending else "the name of the file has no ending"
        raise KconvertError(
            what, str(path), f"use {', '.join(WRITTEN[:-1])} or a directory {WRITTEN[-1]}", Problem.USAGE
        )
    for form in fitting:
        if wanted is None or wanted in form.formats:
            return form, wanted or form.formats[0]
        if wanted in form.refuses:
            break
    ending = next((ending for ending in fitting[0].endings if name.endswith(ending)), fitting[0].endings[0])
    raise KconvertError(
        f"a file {ending} is of {fitting[0].formats[0]}, not of {wanted}",
        str(path),
        f"leave {argument('format')} out, or use {HDF5.endings[0]}",
        Problem.USAGE,
    )


def default_form(wanted: str | None) -> tuple[Form, str]:
    """The form of a file that the user does not name, and the `format` that is written."""
    form = next((form for form in (ARCHIVE, HDF5) if wanted == form.formats[0]), HDF5)
    return form, wanted or form.formats[0]


def stem(path: Path) -> str:
    """The name of a file without its ending; what follows another dot stays.

    >>> stem(Path("model.hdf5")), stem(Path("weights.03-0.52"))
    ('model', 'weights.03-0.52')
    """
    return path.stem if is_read(path) else path.name
