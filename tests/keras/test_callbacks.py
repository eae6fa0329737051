"""The callbacks of Keras that are not part of training itself."""

import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest
from kconvert.keras.callbacks import BaseLogger, CallbackList, LambdaCallback, ProgbarLogger, RemoteMonitor

import kconvert.keras as keras


@pytest.fixture
def server():
    """A server on this machine, and the requests that it got."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            got.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}", got
    http.shutdown()


@pytest.mark.shows("callbacks.RemoteMonitor")
@pytest.mark.shows("callbacks.RemoteMonitor", of="keras1")
@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor_sends_the_logs(server, as_json):
    root, got = server
    RemoteMonitor(root, send_as_json=as_json).on_epoch_end(3, {"loss": np.float32(0.5), "accuracy": 1.0})
    ((path, kind, body),) = got
    assert path == "/publish/epoch/end/"
    assert kind == ("application/json" if as_json else "application/x-www-form-urlencoded")
    assert json.loads(body if as_json else parse_qs(body)["data"][0]) == {"epoch": 3, "loss": 0.5, "accuracy": 1.0}


def test_remote_monitor_warns_without_a_server():
    with pytest.warns(RuntimeWarning, match="cannot reach"):
        RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {"loss": 1.0})


def test_base_logger_puts_means_over_samples_into_the_logs():
    logger, logs = BaseLogger(stateful_metrics=["n"]), {}
    logger.set_params({"metrics": ["loss", "n"]})
    logger.on_epoch_begin(0)
    logger.on_batch_end(0, {"size": 3, "loss": 1.0, "n": 1.0})
    logger.on_batch_end(1, {"size": 1, "loss": 5.0, "n": 4.0})
    logger.on_epoch_end(0, logs)
    assert logs == {"loss": 2.0, "n": 4.0}


def test_progbar_logger_shows_the_training(capsys):
    model = keras.models.Sequential([keras.layers.Dense(1, kernel_initializer="zeros", input_shape=(2,))])
    model.compile(keras.optimizers.SGD(0.0), "mse", backend="tensorflow")
    model.fit(np.zeros((4, 2)), np.full((4, 1), 2.0), 2, 1, 0, [ProgbarLogger()])
    shown = ProgbarLogger("steps")
    shown.set_params({"steps": 2, "metrics": ["loss"], "epochs": 1, "verbose": 1})
    shown.on_epoch_begin(0)
    for batch in range(2):
        shown.on_batch_end(batch, {"size": 2, "loss": 4.0})
    shown.on_epoch_end(0, {"loss": 4.0})
    assert "Epoch 1/1" in (out := capsys.readouterr().out) and "2/2 [" in out and "loss: 4.0000" in out
    assert out.count("2/2 [") == 1  # the last batch is shown at the end of the epoch, with its values
    with pytest.raises(ValueError):
        ProgbarLogger("epochs")


def test_a_list_of_callbacks_calls_each():
    seen = []
    callbacks = CallbackList([LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(("a", epoch)))])
    callbacks.append(LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(("b", epoch))))
    callbacks.on_epoch_begin(2)
    assert seen == [("a", 2), ("b", 2)] and len(list(callbacks)) == 2
    callbacks.set_params({"epochs": 1})
    callbacks.set_model("model")
    assert (callbacks.params, callbacks.model) == ({"epochs": 1}, "model")


def test_tensorboard_says_what_it_does_not_write():
    with pytest.warns(UserWarning, match="write_grads, embeddings_freq"):
        keras.callbacks.TensorBoard("logs", 1, 32, True, True, False, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.callbacks.TensorBoard(log_dir="logs", batch_size=32, write_graph=False, update_freq="batch")
