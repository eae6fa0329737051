"""The command line: thin commands over the library.

`kconvert FILE --to B` is the main job; everything else is a subcommand. Importing this room imports only click; each
command imports what it needs.
"""

from . import converting, verifying  # noqa: F401  (they add their commands to `main`)
from .group import main

__all__ = ["main"]
