"""The command `python -m docs.generate`."""

from . import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
