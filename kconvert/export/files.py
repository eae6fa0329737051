"""export_model: converts a weight file into a program for another runtime."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .._version import install
from ..arguments import argument
from ..conversion.applying import refuse_hazards
from ..conversion.files import Conversion
from ..conversion.opening import open_source
from ..conversion.planning import Plan
from ..conversion.programs import plan_program
from ..conversion.running import run_arrays
from ..conversion.source import Source
from ..conversion.target import NATIVE, Target, Wanted
from ..errors import KconvertError, Problem
from ..formats.atomic import NamedPath, new_path, refuse_collisions
from ..formats.endings import Runtime
from ..layers.registry import with_custom_objects
from ..lazy_dataclasses import dataclass
from ..network.input_shapes import InputShape


@dataclass(frozen=True)
class Options:
    """What the user wants of a program."""

    batch: int | None = None
    """The number of samples of each batch; None: any, and in LiteRT 1."""
    quantize: str | None = None
    """'float16' or 'dynamic': weights of LiteRT with less precision."""

    def check(self, target: Target) -> None:
        """Raises KconvertError (USAGE) where the form of the result does not have them."""
        runtime = target.form.runtime
        applies = {"batch": runtime is not None, "quantize": runtime is not None and bool(runtime.quantizations)}
        for name, possible in applies.items():
            if getattr(self, name) is not None and not possible:
                what = f"{argument(name)} does not apply to a file {target.form.endings[0]}"
                fix = "leave it out, or write a result such as model.tflite"
                raise KconvertError(what, fix=fix, problem=Problem.USAGE)
        if runtime and self.quantize is not None and self.quantize not in runtime.quantizations:
            what, known = f"unknown quantisation {self.quantize!r}", " or ".join(runtime.quantizations)
            raise KconvertError(what, fix=f"give {known}", problem=Problem.USAGE)


def export_model(
    path: str | PathLike[str],
    out: str | PathLike[str],
    source: str | None = None,
    data_format: str = NATIVE,
    batch: int | None = None,
    quantize: str | None = None,
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    repair: bool = True,
    force: bool = False,
    custom_objects: Mapping[str, Any] | None = None,
    input_shape: InputShape | None = None,
) -> Conversion:
    """Makes a program of a weight file, which needs no Keras. The network is that of `convert` for TensorFlow.

    path: the weight file.
    out: a new directory `saved_model/`, or a file that ends in .tflite or .onnx.
    source: the backend that saved the file, where the file does not tell: 'theano', 'tensorflow', or another one.
    data_format: 'native' (as usual on the target: theano channels_first, tensorflow channels_last), 'keep', or one of
    the two.
    batch: the number of samples of each batch; by default any, and in LiteRT 1.
    quantize: 'float16' or 'dynamic': weights of LiteRT with less precision.
    arch: the file with the architecture, for files of weights alone.
    source_data_format: the data format of the weights, where layers do not state it or `arch` was made on another
    backend.
    source_release: the release of Keras that saved the file, where the file does not state it.
    repair: whether layers that the two backends compute differently are rewritten; otherwise they are refused.
    force: whether `source` holds even where the file says otherwise, and an existing `out` is replaced.
    custom_objects: your functions and classes of layers, by their names in the file, as in Keras; a Lambda that is
    stored as code finds its function under the name of the layer.
    input_shape: the shape of the input without the batch axis, or a dict of them by the names of inputs, for networks
    that leave sizes free.

    The result is written whole or not at all. Raises KconvertError where the file cannot be read, converted or
    exported.
    """
    said = Source(path, source, source_data_format, arch, (), force, source_release, input_shape=input_shape)
    target = Wanted(None, None, data_format, repair, None, True).target(out)
    with with_custom_objects(custom_objects):
        return export_file(said, target, out, Options(batch, quantize))


def export_file(
    source: Source,
    target: Target,
    out: str | PathLike[str],
    options: Options,
    written: Sequence[NamedPath] = (),
    read: Sequence[NamedPath] = (),
) -> Conversion:
    """`export_model`, for a file that has a path and a target.

    written, read: the other files of the command, which the result must not replace.
    """
    runtime = target.form.runtime
    if runtime is None:
        raise KconvertError("is no program", str(out), "use convert", Problem.USAGE)
    options.check(target)
    _refuse_without_packages(runtime)
    origin, result = Path(source.path or ""), Path(out)
    refuse_collisions([("result", result), *written], [*source.files, *read])
    place = new_path(result, origin, source.force and not runtime.directory, runtime.directory)
    with open_source(source) as checkpoint:
        made = plan_program(checkpoint, source, target)
        refuse_hazards(made, checkpoint)
        _refuse_large(made, runtime, result)
        _write(made, target, place, options)
    return Conversion(made, origin, result)


def _write(made: Plan, target: Target, place: Path, options: Options) -> None:
    """Makes the program; TensorFlow is imported for it."""
    from ..backend import get_backend

    get_backend(made.target.backend)  # says how to install it
    from .program import traced
    from .writers import WRITERS

    writer = WRITERS[target.form]
    model, batch = made.result.model, options.batch
    if batch is None and writer.batch is not None:
        if model.counting_layers and model.fixed_batch is None:
            what = f"{', '.join(model.counting_layers)} computes with all samples of a batch, whose number is free"
            raise KconvertError(what, str(place), f"state it with {argument('batch')}", Problem.USAGE)
        batch = writer.batch
    program = traced(model, run_arrays(made), batch, writer.unroll)
    writer.write(program, place, options.quantize)


def _refuse_without_packages(runtime: Runtime) -> None:
    """Refuses a form whose writer is not installed, before anything is read."""
    missing = [name for name in runtime.written_by if find_spec(name) is None]
    if missing:
        what = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed to write {runtime.title}"
        raise KconvertError(what, fix=install(runtime.extra), problem=Problem.USAGE)


def _refuse_large(made: Plan, runtime: Runtime, result: Path) -> None:
    """Refuses weights that the format cannot hold."""
    size = _size(made)
    if runtime.limit is not None and size >= runtime.limit:
        raise KconvertError(
            f"its weights have {size:,} bytes, and a file of {runtime.title} holds less than {runtime.limit:,}",
            str(result),
            "write a SavedModel, such as saved_model/",
        )


def _size(made: Plan) -> int:
    """The bytes of all weights."""
    return sum(math.prod(shape) for step in made.steps for shape in step.target_shapes) * np.dtype("float32").itemsize
