"""Self-contained HTML pages, also for phones and screen readers.

templates/page.html is the frame: one style, and one script, which its Content-Security-Policy allows by their hash.
A page extends it, and fills the block `main`. templates/{table,charts}.html hold macros.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import PurePath
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..errors import printable
from . import words


def environment(package: str) -> Environment:
    """Templates of `package` that extend and import those of this room."""
    loader = ChoiceLoader([PackageLoader(package), PackageLoader(__package__)])
    found = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(
        number=words.number,
        at_least=words.at_least,
        plural=words.plural,
        sizes=words.sizes,
        percent=words.percent,
        basename=lambda path: PurePath(path).name,
    )
    for name in ("style.css", "page.js"):
        text = f"\n{loader.get_source(found, name)[0].rstrip()}\n"
        key = name.partition(".")[2]
        found.globals[key] = Markup(text)
        found.globals[f"{key}_hash"] = _hash(text)
    return found


def _plain(value: Any) -> Any:
    """Names come from files, so control characters are escaped."""
    return value if isinstance(value, Markup) else printable(str(value))


def _hash(text: str) -> str:
    """The hash of an inline text as a Content-Security-Policy has it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
