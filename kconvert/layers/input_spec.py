"""InputSpec of Keras: what a layer accepts as an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .lists import as_list


@dataclass(frozen=True)
class InputSpec:
    """The rank and the sizes of an input of a layer of the user, as Keras checks them when the layer is called."""

    dtype: str | None = None
    # With the batch axis; None for a size that may be any.
    shape: Sequence[int | None] | None = None
    # A text such as '2+' is a least number of axes, as in Keras 1.
    ndim: int | str | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    # The sizes of some axes, by their numbers; None: of no axis.
    axes: Mapping[int, int | None] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.ndim, str) and not (self.ndim.endswith("+") and self.ndim[:-1].isdigit()):
            fix = "a text has the form '2+'"
            raise KconvertError(f"an InputSpec has no ndim={self.ndim!r}", fix=fix, problem=Problem.USAGE)
        object.__setattr__(self, "axes", dict(self.axes or {}))
        if self.shape is not None:
            object.__setattr__(self, "ndim", len(self.shape))

    def refusal(self, shape: Sequence[int | None]) -> str | None:
        """Why an input of `shape` is not accepted; None where it is."""
        rank = len(shape)
        if isinstance(self.ndim, str):
            if rank < int(self.ndim[:-1]):
                return f"it takes inputs of at least {self.ndim[:-1]} axes"
        elif self.ndim is not None and rank != self.ndim:
            return f"it takes inputs of {self.ndim} axes"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"it takes inputs of at most {self.max_ndim} axes"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"it takes inputs of at least {self.min_ndim} axes"
        for axis, size in {**dict(enumerate(self.shape or ())), **(self.axes or {})}.items():
            if not -rank <= axis < rank:
                return f"it has no axis {axis}"
            if size is not None and shape[axis] not in (size, None):
                return f"axis {axis} has the size {size}"
        return None


class WithInputSpec:
    """The part of a layer that says what it accepts."""

    # What Keras checks of an input when the layer is called in Python; None for a class whose methods check it.
    accepts: ClassVar[InputSpec | None] = None

    @property
    def input_spec(self) -> Any:
        """What the layer accepts: an InputSpec, a list of one for each input, or None. A layer of the user sets it."""
        if "input_spec" in self.__dict__:
            return self.__dict__["input_spec"]
        shapes = getattr(self, "shapes_of_weights", None)
        return self.spec_of(shapes[0] if shapes else None)

    @input_spec.setter
    def input_spec(self, spec: Any) -> None:
        self.__dict__["input_spec"] = spec

    def assert_input_compatibility(self, inputs: Any) -> None:
        """Raises KconvertError where the layer does not accept `inputs`, a symbol or a list of symbols."""
        check_input_spec(self, [one.shape for one in as_list(inputs)])

    def spec_of(self, shape: Sequence[int | None] | None) -> Any:
        """What `input_spec` shows for a class of Keras; shape: of the input that it was built for, None before that."""
        return self.accepts


def check_input_spec(layer: Any, shapes: Sequence[Sequence[int | None]]) -> None:
    """Raises KconvertError where inputs do not fit what the class of a layer accepts, or its own `input_spec`."""
    accepted = type(layer).accepts
    if accepted is not None and len(shapes) > 1:
        raise KconvertError(
            f"a {layer.class_name} layer takes one input, not {len(shapes)}",
            f"layer {layer.name}",
            "call it on each, or on the result of a layer that merges them",
            Problem.USAGE,
        )
    stated = as_list(vars(layer).get("input_spec", accepted))  # a layer of the user has what its `build` sets
    for spec, shape in zip(stated, shapes, strict=False):
        why = spec.refusal(shape) if isinstance(spec, InputSpec) else None
        if why:
            what = f"a {layer.class_name} layer does not accept an input of shape {tuple(shape)}: {why}"
            raise KconvertError(what, f"layer {layer.name}", problem=Problem.USAGE)
