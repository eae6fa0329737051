"""Hooks of MkDocs: the pages of the reference, links to the repository, drawings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

from docs.website import pages


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages of the reference, which are made of the public names of the package."""
    for page, text in pages.reference().items():
        files.append(File.generated(config, f"reference/{page}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to what the site does not have lead to the repository; graphs are drawings."""
    source = page.file.abs_src_path
    return pages.with_drawings(pages.outward(markdown, Path(source).parent)) if source else markdown
