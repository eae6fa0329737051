"""Enqueuers: threads that take batches from a sequence or generator before they are needed (`keras.utils`)."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

_WAIT = 0.1  # seconds after which the consumer checks whether the threads were stopped
_PAUSE = 0.001  # seconds between two checks of the queue


class SequenceEnqueuer:
    """Base class: threads put the futures of batches into a queue, in their order.

    sequence: what gives the batches. use_multiprocessing: has no effect; threads compute the batches.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence, self.use_multiprocessing = sequence, use_multiprocessing
        self.workers = 0
        self.queue: queue.Queue[Future[Any]] | None = None
        self.run_thread: threading.Thread | None = None
        self.stop_signal: threading.Event | None = None

    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Starts `workers` threads, which compute at most `max_queue_size` batches in advance."""
        self.workers = max(1, workers)
        self.queue, self.stop_signal = queue.Queue(max_queue_size), threading.Event()
        self.run_thread = threading.Thread(target=self._run, args=(self.queue, self.stop_signal), daemon=True)
        self.run_thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Stops the threads; waits for them `timeout` seconds at most."""
        if self.stop_signal is not None and self.run_thread is not None:
            self.stop_signal.set()
            self.run_thread.join(timeout)

    def get(self) -> Iterator[Any]:
        """The batches, in order. Raises the exception of a batch that could not be computed, and stops then."""
        while self.is_running() and self.queue is not None:
            try:
                future = self.queue.get(timeout=_WAIT)
            except queue.Empty:
                continue
            try:
                batch = future.result()
            except StopIteration:
                return
            except Exception:
                self.stop()
                raise
            self.queue.task_done()
            if batch is not None:
                yield batch

    def jobs(self) -> Iterator[Callable[[], Any] | None]:
        """The functions that compute the batches, in order; None to go on after all batches have been taken."""
        raise NotImplementedError

    def _run(self, waiting: queue.Queue[Future[Any]], stop: threading.Event) -> None:
        with ThreadPoolExecutor(self._threads()) as pool:
            for job in self.jobs():
                if job is None:
                    _wait_until(lambda: waiting.unfinished_tasks == 0, stop)
                else:
                    _wait_until(lambda: not waiting.full(), stop)
                if stop.is_set():
                    return
                if job is not None:
                    waiting.put(pool.submit(job))

    def _threads(self) -> int:
        return self.workers


def _wait_until(done: Callable[[], bool], stop: threading.Event) -> None:
    """Waits until `done()` is true, or `stop` is set."""
    while not done() and not stop.wait(_PAUSE):
        pass


class OrderedEnqueuer(SequenceEnqueuer):
    """Takes the batches of a `Sequence`, epoch after epoch.

    shuffle: whether the batches of each epoch come in another order.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle

    def jobs(self) -> Iterator[Callable[[], Any] | None]:
        while True:
            order = list(range(len(self.sequence)))
            if self.shuffle:
                random.shuffle(order)
            for i in order:
                yield partial(self.sequence.__getitem__, i)
            yield None
            self.sequence.on_epoch_end()


class GeneratorEnqueuer(SequenceEnqueuer):
    """Takes the items of a generator, one after the other.

    wait_time, random_seed: have no effect; one thread runs the generator.
    """

    def __init__(
        self,
        sequence: Any,
        use_multiprocessing: bool = False,
        wait_time: float | None = None,
        random_seed: int | None = None,
    ) -> None:
        super().__init__(sequence, use_multiprocessing)

    def jobs(self) -> Iterator[Callable[[], Any] | None]:
        while True:
            yield partial(next, self.sequence)

    def _threads(self) -> int:
        return 1
