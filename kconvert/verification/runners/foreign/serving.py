"""The worker side of the pipes: requests and answers, each a line of JSON.

It runs on Python 2.7 and 3.5, because it is also used in interpreters without kconvert.
"""

import json
import os
import signal
import threading
import traceback

try:
    import queue
except ImportError:
    import Queue as queue  # type: ignore[import-not-found,no-redef]

LENGTH = 500  # of the message of an error; the log has all of it


def serve(start):
    """Answers requests with the function of JSON values that `start()` returns, for as long as the parent lives.

    An exception of that function becomes {"failure": its message}, and its traceback goes to the log.
    """
    requests, replies = _channels()
    waiting = queue.Queue()  # type: ignore[var-annotated]
    watcher = threading.Thread(target=_watch, args=(requests, waiting))
    watcher.daemon = True
    watcher.start()
    answer = start()
    while True:
        request = waiting.get()
        try:
            reply = answer(request)
        except Exception as error:
            traceback.print_exc()
            message = " ".join(str(error).split()) or type(error).__name__
            reply = {"failure": message[:LENGTH]}
        replies.write(json.dumps(reply).encode("ascii") + b"\n")
        replies.flush()


def _channels():
    """The pipes that were standard input and output; from now on, what is printed to these goes to the log."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, replies


def _watch(requests, waiting):
    """Passes requests on; when the parent is gone, kills this process and all it started, even while it computes."""
    group = None
    for line in iter(requests.readline, b""):
        request = json.loads(line.decode("ascii"))
        group = request["group"]
        waiting.put(request)
    if group:
        os.killpg(group, signal.SIGKILL)
    os._exit(0)
