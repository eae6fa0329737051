"""Writes docs/support.md, docs/names.md and docs/example-scripts.md: `python -m docs.generate` (`make docs`).

Each layer class of `LAYERS` is put into a model of one layer (`examples.py`). The model is saved (without a file) as
each generation of Keras on each backend would save it, and planned for the other backend (`outcomes.py`). The page says
what `plan` did (`support.py`; a module for the tables of each subject).
"""

from .names import NAMES, names_page
from .scripts import SCRIPTS, scripts_page
from .support import PAGE, page

__all__ = ["NAMES", "PAGE", "SCRIPTS", "names_page", "page", "scripts_page"]
