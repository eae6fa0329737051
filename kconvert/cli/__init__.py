"""The command line: thin commands over the library.

`kconvert FILE --to B` is the main job; everything else is a subcommand. Importing the commands imports only click;
each command imports what it needs when it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .group import main as main

__all__ = ["main"]


def __getattr__(name: str) -> Any:
    """`main`, with all its commands."""
    if name != "main":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import batching, converting, scripting, verifying  # noqa: F401  (they add their commands)
    from .group import main

    return main
