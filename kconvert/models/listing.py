"""The list of the layers of a model, which cannot be changed."""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import KconvertError, Problem
from ..layers import Layer


class Layers(list[Layer]):
    """The layers of a model. Changing the list would not change the model: it raises KconvertError."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise KconvertError(
            "the list of the layers of a model cannot be changed",
            fix="Model(model.inputs, model.layers[-2].output) ends one layer earlier; so does Sequential after pop()",
            problem=Problem.UNSUPPORTED,
        )

    pop = remove = append = insert = extend = clear = _refuse
    __setitem__ = __delitem__ = __iadd__ = _refuse
