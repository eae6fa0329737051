"""What renderables print."""

from rich.console import Console


def shown(*parts, width=80, **options):
    """The lines that are printed, without the blanks at their ends."""
    console = Console(width=width, highlight=False, markup=False, emoji=False, **options)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert all(len(line) <= width for line in lines)
    return lines


def unfolded(lines):
    return " ".join(" ".join(lines).split())
