"""Worker processes in separate sessions, which answer lines of JSON and are killed with all their children."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

from ...formats.atomic import scratch

GRACE = 5.0  # seconds that a process has to end after it closed its pipe
LINES = 3  # of the log, that an error shows
WIDTH = 200  # of each of these lines


class WorkerTimeout(Exception):
    """The worker did not answer in time."""


class WorkerDied(Exception):
    """The worker ended without an answer; the message says how."""


class Worker:
    """A process that answers requests, each a line of JSON.

    It is killed when this object is deleted, and when this process ends. `folder` is a private folder, which is removed
    then; the standard error of the process goes to a file there.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._answers: Queue[bytes] = Queue()
        with ExitStack() as opened:
            self.folder = opened.enter_context(scratch())
            temporary = {"TMPDIR": str(self.folder)}  # what it leaves there is removed with the folder
            self._process = start(command, {**environment, **temporary}, self.folder / "log")
            self.end = weakref.finalize(self, _end, self._process, opened.pop_all())
        threading.Thread(target=_listen, args=(self._process.stdout, self._answers), daemon=True).start()

    def ask(self, request: dict[str, Any], timeout: float | None = None) -> dict[str, Any]:
        """The answer to `request`. Raises WorkerTimeout after `timeout` seconds, WorkerDied where it ended."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # then the answer is empty
            self._process.stdin.write(json.dumps({**request, "group": self._process.pid}).encode() + b"\n")
            self._process.stdin.flush()
        try:
            line = self._answers.get(timeout=None if timeout is None else min(timeout, threading.TIMEOUT_MAX))
        except Empty:
            raise WorkerTimeout from None
        if not line:
            raise WorkerDied(self._how_it_ended())
        return json.loads(line)

    def _how_it_ended(self) -> str:
        """`was killed by SIGKILL (out of memory?)`, and the last lines of its log."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        code = self._process.returncode
        how = "stopped answering" if code is None else f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was killed by {signal.Signals(-code).name}" + (" (out of memory?)" if code == -9 else "")
        last = last_lines(self.folder / "log")
        return f"{how}; the end of its log: {' / '.join(last)}" if last else how


def like_here(code: str) -> list[str]:
    """The command that runs `code` in this interpreter, with the modules that this process finds."""
    return [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"]


def last_lines(log: Path) -> list[str]:
    """The end of a log; nothing where it is gone with its folder."""
    with suppress(FileNotFoundError):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line.strip()[:WIDTH] for line in lines if line.strip()][-LINES:]
    return []


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Starts `command` in a session of its own, with pipes for standard input and output."""
    with log.open("wb") as errors:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            start_new_session=True,
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process of `start` and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end(process: subprocess.Popen[bytes], opened: ExitStack) -> None:
    kill(process)
    if process.stdin:
        with suppress(BrokenPipeError):  # what it had not read
            process.stdin.close()
    opened.close()


def _listen(pipe: IO[bytes], answers: Queue[bytes]) -> None:
    """Passes answers on; an empty one when there will be no more."""
    with pipe:
        for line in pipe:
            answers.put(line)
    answers.put(b"")
