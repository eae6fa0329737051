"""The functions of `keras.backend` that mean the same in Keras 1.2.2 and 2.3.1, and the dim_ordering."""

from __future__ import annotations

from ...keras.own import backend as later
from .settings import image_dim_ordering as image_dim_ordering
from .settings import set_image_dim_ordering as set_image_dim_ordering

_SAME = (
    "abs backend cast clip concatenate equal epsilon eval exp expand_dims flatten floatx get_value greater "
    "greater_equal learning_phase log max maximum mean min minimum ndim not_equal ones ones_like permute_dimensions "
    "pow prod relu reshape round set_value shape sigmoid sign softmax softplus softsign sqrt square squeeze sum "
    "tanh variable zeros zeros_like"
)

_RENAMED = {"lesser": "less", "lesser_equal": "less_equal"}
"""Functions that have another name in Keras 2."""

globals().update({name: getattr(later, name) for name in _SAME.split()})
globals().update({old: getattr(later, new) for old, new in _RENAMED.items()})
