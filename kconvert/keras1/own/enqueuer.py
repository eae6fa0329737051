"""GeneratorEnqueuer of `keras.engine.training` of Keras 1.2.2: threads that put items of a generator into a queue."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any


class GeneratorEnqueuer:
    """Threads that take items from `generator` before they are needed; the attribute `queue` has them.

    pickle_safe: has no effect; threads take the items.
    """

    def __init__(self, generator: Iterator[Any], pickle_safe: bool = False) -> None:
        self.queue: queue.Queue[Any] | None = None
        self._generator, self._threads, self._stop_event = generator, list[threading.Thread](), threading.Event()
        self._lock = threading.Lock()

    def start(self, nb_worker: int = 1, max_q_size: int = 10, wait_time: float = 0.05) -> None:
        """Starts `nb_worker` threads; the queue has at most `max_q_size` items.

        wait_time: the seconds that a thread waits where it is full.
        An exception of the generator, and its end, stop all threads.
        """
        self.queue, self._stop_event = queue.Queue(), threading.Event()
        args = (self.queue, self._stop_event, max_q_size, wait_time)
        self._threads = [threading.Thread(target=self._fill, args=args, daemon=True) for _ in range(nb_worker)]
        for thread in self._threads:
            thread.start()

    def _fill(self, items: queue.Queue[Any], stop: threading.Event, size: int, wait_time: float) -> None:
        try:
            while not stop.is_set():
                with self._lock:
                    full = items.qsize() >= size
                    if not full:
                        items.put(next(self._generator))
                if full:
                    time.sleep(wait_time)
        except StopIteration:
            return
        finally:
            stop.set()

    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self.queue is not None and not self._stop_event.is_set()

    def stop(self, timeout: float | None = None) -> None:
        """Stops the threads, waits `timeout` seconds at most for each, and drops the queue."""
        self._stop_event.set()
        for thread in self._threads:
            thread.join(timeout)
        self._threads, self.queue = [], None
