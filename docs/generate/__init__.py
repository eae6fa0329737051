"""Writes docs/support.md from the code: `python -m docs.generate` (`make docs`). docs/example-scripts.md too.

Each layer class of `LAYERS` is put into a model of one layer (`examples.py`). The model is saved (without a file) as
each generation of Keras on each backend would save it, and planned for the other backend (`outcomes.py`). The page says
what `plan` did (`support.py`; a module for the tables of each subject).
"""

from .scripts import SCRIPTS, scripts_page
from .support import PAGE, page

__all__ = ["PAGE", "SCRIPTS", "page", "scripts_page"]
