"""The command `python -m docs.generate`."""

from . import PAGE, SCRIPTS, page, scripts_page

PAGE.write_text(page(), encoding="utf-8")
SCRIPTS.write_text(scripts_page(), encoding="utf-8")
