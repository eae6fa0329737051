"""Makes the pictures of the README and of the site: `make pictures` writes them into docs/pictures/.

terminal.svg: what a conversion prints; report.png: the page that it writes. Both come from a real run on Theano and
TensorFlow. Needs Chromium for the page.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.browser import MISSING, chromium

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
SAMPLE = ROOT / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
COMMAND = "kconvert model.h5 --to tensorflow --report report.html"
COLUMNS = 80
PAGE = {"width": 1100, "height": 548}  # pixels of the page that are shown
COLOURS = 64

# rich fetches a font from elsewhere for SVG; that of the machine is used instead.
SVG = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.S).replace(
    "Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)


def run(folder: Path) -> str:
    """Converts `model.h5` in `folder`; gives what a terminal shows."""
    shutil.copy(SAMPLE, folder / "model.h5")
    terminal = {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *COMMAND.split()]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **terminal}, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def drawn(output: str) -> str:
    """A terminal with the command and its output, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold"), COMMAND, "\n"), Text.from_ansi(output), sep="")
    return console.export_svg(title="kconvert", theme=MONOKAI, code_format=SVG, unique_id="kconvert")


def photographed(page: Path) -> Image.Image:
    """The upper part of a page in Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        tab = browser.new_page(viewport=PAGE, color_scheme="light")
        tab.goto(page.as_uri())
        picture = tab.screenshot()
        browser.close()
    return Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS)


def main() -> int:
    if chromium() is None:
        print(MISSING, file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        svg = drawn(run(folder))
        (PICTURES / "terminal.svg").write_text(re.sub(r"[ \t]+$", "", svg, flags=re.M), encoding="utf-8")
        photographed(folder / "report.html").save(PICTURES / "report.png", optimize=True)
    for path in sorted(PICTURES.iterdir()):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
