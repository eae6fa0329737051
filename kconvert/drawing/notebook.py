"""Values with a page of their own, which notebooks show."""

from __future__ import annotations

from importlib import import_module
from typing import ClassVar

PACKAGE = __package__.partition(".")[0]
FRAME_HEIGHT = 560  # pixels


class Shown:
    """A value with a page. A notebook shows it in a frame of its own, so that neither changes the other's style."""

    _page: ClassVar[str]
    """The module of the package with `render(value)`, which needs what the extra `report` installs."""

    def page(self) -> str:
        """The page as self-contained HTML. Raises ModuleNotFoundError if a library is missing."""
        text: str = import_module(f"{PACKAGE}.{self._page}").render(self)
        return text

    def _repr_html_(self) -> str | None:
        """The page in a frame; None where a library for pages is missing, and then a notebook shows the `repr`."""
        try:
            return framed(self.page(), type(self).__name__)
        except ModuleNotFoundError:
            return None


def framed(page: str, title: str) -> str:
    """A page in a frame, for the output of a notebook. Its script can only sort its tables."""
    from html import escape  # for notebooks alone

    return (
        f'<iframe title="{escape(title)}" sandbox="allow-scripts" srcdoc="{escape(page)}" width="100%" '
        f'height="{FRAME_HEIGHT}" style="border: 1px solid #8884; border-radius: 8px; resize: vertical"></iframe>'
    )
