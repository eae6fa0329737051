"""The command line: a thin skin of the library.

`kconvert FILE --to B` is the main job; everything else is a subcommand. Only click is imported when
the module is: the rest is loaded by the command that needs it.
"""

from . import converting, verifying  # noqa: F401  (they add their commands to `main`)
from .group import main

__all__ = ["main"]
