"""A worker's end of the pipes: requests and answers, each a line of JSON.

In words of Python 2.7 and 3.5, as it also runs under interpreters without kconvert.
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


def serve(answer):
    """Answers requests with `answer(request)`, both of JSON values, for as long as the parent lives.

    What `answer` raises becomes {"failure": what it said}, its traceback goes to the log.
    """
    requests, replies = _channels()
    waiting = queue.Queue()  # type: ignore[var-annotated]
    watcher = threading.Thread(target=_watch, args=(requests, waiting))
    watcher.daemon = True
    watcher.start()
    while True:
        request = waiting.get()
        try:
            reply = answer(request)
        except Exception as error:
            traceback.print_exc()
            reply = {"failure": (str(error) or type(error).__name__).splitlines()[0]}
        replies.write(json.dumps(reply).encode("ascii") + b"\n")
        replies.flush()


def _channels():
    """The pipes that were standard input and output; what others print to these goes to the log from now on."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, replies


def _watch(requests, waiting):
    """Passes requests on; when the parent is gone, ends the process, and all it started, even while it computes."""
    group = None
    for line in iter(requests.readline, b""):
        request = json.loads(line.decode("ascii"))
        group = request["group"]
        waiting.put(request)
    if group:
        os.killpg(group, signal.SIGKILL)
    os._exit(0)
