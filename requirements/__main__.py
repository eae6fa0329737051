"""Writes the versions that are installed with this interpreter into requirements/ (`make lock`)."""

import subprocess
import sys
from pathlib import Path

from kconvert._version import DISTRIBUTION

HEAD = "# Versions that work together on Python {}, for make demo and make test; written by make lock.\n"
CPU, OTHER = "tensorflow_cpu==", "tensorflow=="  # on other machines than x86-64, the same release has another name


def locked(frozen: str) -> str:
    """The constraints of what `pip freeze` printed: all but pip itself, and kconvert, whose version will rise."""
    own = ("pip==", f"{DISTRIBUTION}==")
    lines = [line for line in frozen.splitlines() if "==" in line and not line.startswith(own)]
    lines += [OTHER + line.removeprefix(CPU) for line in lines if line.startswith(CPU)]
    return "".join(f"{line}\n" for line in sorted(lines, key=str.lower))


def main() -> None:
    version = "{}.{}".format(*sys.version_info)
    command = [sys.executable, "-m", "pip", "freeze", "--all", "--exclude-editable", "--disable-pip-version-check"]
    frozen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    path = Path(__file__).parent / f"python{version}.txt"
    path.write_text(HEAD.format(version) + locked(frozen), encoding="utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
