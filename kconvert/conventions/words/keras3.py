"""Files of Keras 3, which kconvert does not read unless it wrote them: how they are recognised, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import KconvertError, Problem

KERAS3 = "3"
STAMP = "kconvert"
"""A key that marks architectures which kconvert wrote for Keras 3. Keras 3 drops it when it saves the model again."""
_FIRST = 3  # the first number of its releases


def is_release(version: Any) -> bool:
    """Whether a release is one of Keras 3 or later.

    >>> is_release("3.4.1"), is_release("2.15.0"), is_release(None)
    (True, False, False)
    """
    first = version.split(".")[0] if isinstance(version, str) else ""
    return first.isdigit() and int(first) >= _FIRST


def is_architecture(value: Any) -> bool:
    """Whether Keras 3 wrote an architecture: the shape of an input is called `batch_shape`."""
    if isinstance(value, Mapping):
        config = value.get("config")
        if value.get("class_name") == "InputLayer" and isinstance(config, Mapping) and "batch_shape" in config:
            return True
        value = list(value.values())
    return isinstance(value, list) and any(map(is_architecture, value))


def refuse(config: Any, version: Any, where: str | None = None) -> None:
    """Raises KconvertError for an architecture that Keras 3 wrote. version: the release that the file states."""
    if isinstance(config, Mapping) and STAMP in config:
        return
    if is_release(version) or is_architecture(config):
        raise keras3_error(version if is_release(version) else KERAS3, where)


def keras3_error(version: str, where: str | None = None) -> KconvertError:
    return KconvertError(
        f"was saved by Keras {version}; kconvert reads Keras 0.2 - 2.3 and tf.keras",
        where,
        "build the same model with tf_keras, and there: "
        "new.set_weights(keras.models.load_model(PATH).get_weights()); new.save('model.h5')",
        Problem.UNREADABLE,
    )
