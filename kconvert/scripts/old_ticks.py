"""Labels of ticks as before Matplotlib 3.3, for scripts that give fewer or more labels than ticks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from .shortening import replaced


@contextmanager
def labels_as_before(imported: bool, say: Callable[[str], None]) -> Iterator[None]:
    """In the block, ticks without a label have none, and labels without a tick are left out; `say` is told so.

    imported: whether the script imports Matplotlib; otherwise nothing changes.
    """
    if not imported:
        yield
        return
    axis = import_module("matplotlib.axis").Axis
    today = axis.set_ticklabels

    def set_ticklabels(self: Any, labels: Any, *args: Any, **kwargs: Any) -> Any:
        ticks = getattr(self.get_major_locator(), "locs", None)
        if not kwargs.get("minor") and ticks is not None and len(labels) not in (0, len(ticks)):
            say(f"Matplotlib wants a label for each tick: {len(ticks)} ticks get {len(labels)} labels")
            labels = fitted(labels, len(ticks))
        return today(self, labels, *args, **kwargs)

    with replaced(axis, "set_ticklabels", set_ticklabels):
        yield


def fitted(labels: Sequence[Any], ticks: int) -> list[Any]:
    """As many labels as there are ticks.

    >>> fitted(["a", "b"], 3), fitted(["a", "b"], 1)
    (['a', 'b', ''], ['a'])
    """
    return [*labels, *[""] * ticks][:ticks]
