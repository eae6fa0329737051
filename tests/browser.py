"""The browser that tests look at pages with: a Chromium that is on the machine already."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "there is no Chromium; apt-get install chromium, playwright install chromium, or KCONVERT_CHROMIUM=/its/path"


def chromium():
    """The path of a Chromium; None where there is none."""
    named = os.environ.get("KCONVERT_CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    fetched = sorted(Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome"))
    return found or (str(fetched[-1]) if fetched else None)
