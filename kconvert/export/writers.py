"""Writing programs: SavedModels, LiteRT and ONNX."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..backend import tensorflow_compat
from ..errors import KconvertError
from ..formats.atomic import new_directory, replacing, scratch, writing
from ..formats.endings import LITERT, ONNX, SAVED_MODEL, Form
from ..lazy_dataclasses import dataclass
from .program import Program

tf = tensorflow_compat.load()

OPSET = 17  # of ONNX: the first one that onnxruntime 1.12 reads, with LayerNormalization
LENGTH = 300  # of an error that is quoted

QUANTIZED: Mapping[str, str | None] = {"float16": "float16", "dynamic": None}
"""What weights may become in LiteRT, and the type that they have in the file; None: as the converter chooses."""


@dataclass(frozen=True)
class Writer:
    """How programs of one form are written."""

    write: Callable[[Program, Path, str | None], None]
    unroll: bool = False
    """Loops are written out step by step."""
    batch: int | None = None
    """The number of samples of a batch where the user states none; None: any."""


def _write_saved_model(program: Program, target: Path, quantize: str | None) -> None:
    with new_directory(target) as temporary, _quoted("TensorFlow cannot write it", target):
        _save(program, temporary)


def _write_litert(program: Program, target: Path, quantize: str | None) -> None:
    with scratch() as folder, _quoted("LiteRT cannot hold it", target):
        _save(program, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if QUANTIZED[quantize]:
                converter.target_spec.supported_types = [getattr(tf, str(QUANTIZED[quantize]))]
        with tensorflow_compat.silent():
            content = converter.convert()
    _write_bytes(content, target)


def _write_onnx(program: Program, target: Path, quantize: str | None) -> None:
    import onnx
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with _quoted("tf2onnx cannot convert it", target):
        model, _ = tf2onnx.convert.from_function(program.module.call, program.signature, opset=OPSET)
        onnx.checker.check_model(model, full_check=True)
        content = model.SerializeToString()
    _write_bytes(content, target)


WRITERS: Mapping[Form, Writer] = {
    SAVED_MODEL: Writer(_write_saved_model),
    LITERT: Writer(_write_litert, unroll=True, batch=1),
    ONNX: Writer(_write_onnx),
}


def _save(program: Program, folder: str | os.PathLike[str]) -> None:
    tf.saved_model.save(program.module, str(folder), signatures=program.module.call)


def _write_bytes(content: bytes, target: Path) -> None:
    with replacing(target, size=len(content)) as temporary, writing(target), temporary.open("wb") as file:
        file.write(content)


@contextmanager
def _quoted(what: str, target: Path) -> Iterator[None]:
    """Quotes what a library raises in the block."""
    try:
        yield
    except (KconvertError, OSError):
        raise
    except Exception as error:  # whatever a framework raises
        raise KconvertError(f"{what} ({_told(error)})", str(target)) from None


def _told(error: Any) -> str:
    """The line of an error that says what failed, without the call stack in it."""
    text = str(error)
    if op := re.search(r"'[\w.]+' op [^\n]*", text):
        return op[0][:LENGTH]
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    return lines[0][:LENGTH]
