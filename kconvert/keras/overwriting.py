"""Asks the user in a terminal before `save` and `save_weights` replace a file, as Keras does."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from ..models.overwriting import ask_before_overwriting

_HOMES = {"save": "engine.saving", "save_weights": "engine.network"}
"""The module of Keras in which each method of a model finds the function that asks."""


def follow_answers() -> None:
    """Asks the user from now on. A script may replace the function of Keras that asks; then that one is called."""
    ask_before_overwriting(_asks)


def _asks(path: Any, method: str) -> bool | None:
    ask = _asking_of(_HOMES[method])
    if ask is _asking_of("utils.io_utils") and not sys.stdin.isatty():
        return None
    answer: bool = ask(path)
    return answer


def _asking_of(module: str) -> Any:
    return import_module(f"{__package__}.{module}").ask_to_proceed_with_overwrite
