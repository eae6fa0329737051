"""The command `python -m docs.generate`."""

from . import NAMES, PAGE, SCRIPTS, names_page, page, scripts_page

PAGE.write_text(page(), encoding="utf-8")
SCRIPTS.write_text(scripts_page(), encoding="utf-8")
NAMES.write_text(names_page(), encoding="utf-8")
