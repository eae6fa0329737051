"""Batches on object storage, from a web server and on a cluster: real servers and real processes."""

import functools
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import zlib
from contextlib import suppress

import pytest

import kconvert as kc
from kconvert.batches import cluster, places
from kconvert.batches.journal import Journal
from kconvert.errors import KconvertError, Problem
from tests.batches.servers import S3, Machines
from tests.batches.test_run import TO, states, written
from tests.cli.commands import LENET, contents

pytestmark = pytest.mark.long


@pytest.fixture
def s3(tmp_path):
    server = S3(tmp_path / "s3")
    yield server
    server.kill()


@pytest.fixture
def stored(s3):
    """Ten models in a bucket."""
    for i in range(10):
        path = s3.folder / "models" / "from" / f"{i}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(LENET / "model.h5", path)
    return s3


@pytest.fixture
def expected(tmp_path):
    return kc.convert(LENET / "model.h5", tmp_path / "expected.h5", **TO).target.read_bytes()


def results(s3):
    return {
        str(path.relative_to(s3.folder / "models" / "to")): data
        for path, data in contents(s3.folder / "models" / "to").items()
        if "journal" not in str(path)
    }


def test_from_s3_to_s3(stored, expected):
    run = functools.partial(
        kc.batch, "s3://models/from", "s3://models/to", **TO, verify="none", jobs=2, storage_options=stored.options
    )
    assert run().code == 0
    assert results(stored) == {f"{i}.tensorflow.h5": expected for i in range(10)}
    path = stored.folder / "models" / "to" / "0.tensorflow.h5"
    before = path.stat().st_mtime_ns
    assert run().code == 0 and path.stat().st_mtime_ns == before  # it is done
    fs, _ = places.opened("s3://models", stored.options)
    fs.rm_file("models/to/0.tensorflow.h5")
    assert run().code == 0 and results(stored)["0.tensorflow.h5"] == expected


@pytest.mark.parametrize("name", ["a b", "p%20q", "ü", "plus+x", "q?m", "h#x", "x[1]", "::error::", "a::b"])
def test_names_with_characters_that_mean_something_in_a_url(s3, expected, name):
    shutil.copy(LENET / "model.h5", s3.folder / "models" / f"{name}.h5")
    done = kc.batch("s3://models", "s3://models/to", **TO, verify="none", storage_options=s3.options)
    assert done.code == 0 and results(s3) == {f"{name}.tensorflow.h5": expected}


def test_two_batches_at_the_same_time_into_one_target(stored, expected):
    """Each keeps its own parts of the journal, so that nothing is done again, and nothing is taken for foreign."""
    program = (
        "import json, sys\nimport kconvert as kc\nsource, options = sys.argv[1], json.loads(sys.argv[2])\n"
        "kc.batch(source, 's3://models/to', 'theano', 'tensorflow', verify='none', storage_options=options)\n"
    )
    sources = ("s3://models/from/[0-4].h5", "s3://models/from/[5-9].h5")
    options = json.dumps(stored.options)
    runs = [subprocess.Popen([sys.executable, "-c", program, source, options]) for source in sources]
    assert [run.wait() for run in runs] == [0, 0]
    assert results(stored) == {f"{i}.tensorflow.h5": expected for i in range(10)}
    with Journal("s3://models/to", stored.options) as journal:
        assert all(journal.owns(f"s3://models/to/{i}.tensorflow.h5") for i in range(10))


def test_a_bucket_that_does_not_exist(s3):
    shutil.copy(LENET / "model.h5", s3.folder / "models" / "a.h5")
    with pytest.raises(kc.KconvertError, match=r"s3://none/to.*: there is no such place .*bucket does not exist"):
        kc.batch("s3://models", "s3://none/to", **TO, storage_options=s3.options)


def test_a_wrong_key_of_s3(s3):
    with pytest.raises(kc.KconvertError, match=r"s3://models: cannot be reached .*; check the credentials"):
        kc.batch("s3://models", "s3://models/to", **TO, storage_options={**s3.options, "secret": "wrong"})


def test_s3_that_dies_in_the_middle(stored, expected):
    done = []

    def watch(count, total, entry):
        done.append(entry)
        if count == 3:
            stored.kill()

    run = functools.partial(
        kc.batch, "s3://models/from", "s3://models/to", **TO, verify="none", storage_options=stored.options
    )
    try:
        failed = [entry for entry in run(watch=watch).entries if entry.state == "error"]
    except kc.KconvertError as error:  # the journal cannot be stored either
        assert "cannot be reached" in str(error) and "s3://models/to" in str(error)
    else:
        assert failed and all("cannot be reached" in entry.error and "s3://" in entry.error for entry in failed)
    assert set(results(stored).values()) <= {expected}
    stored.start()
    assert run().code == 0
    assert results(stored) == {f"{i}.tensorflow.h5": expected for i in range(10)}


def test_unfinished_uploads_are_ended(stored):
    fs, _ = places.opened("s3://models/to", stored.options)
    for key in ("to/0.tensorflow.h5", "to/other.h5"):
        fs.call_s3("create_multipart_upload", Bucket="models", Key=key)
    places.abort_uploads("s3://models/to", stored.options, lambda name: name == "0.tensorflow.h5")
    left = fs.call_s3("list_multipart_uploads", Bucket="models").get("Uploads", [])
    assert [one["Key"] for one in left] == ["to/other.h5"]


def test_from_a_web_server(models, tmp_path):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=models)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = kc.batch([f"{url}/lstm.h5", f"{url}/none.h5"], tmp_path / "out", **TO, verify="none")
        server.shutdown()
    assert states(done) == {"lstm.h5": "converted", "none.h5": "error"}
    assert f"{url}/none.h5: there is no such file" in done.entries[0].error
    assert (tmp_path / "out" / "lstm.tensorflow.h5").is_file()


def test_a_cluster_of_which_a_worker_is_killed(stored, expected):
    from distributed import Client, LocalCluster

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**options) as machines, Client(machines) as client:
        workers = list(client.run(os.getpid).values())

        def watch(count, total, entry):
            if count == 2:
                os.kill(workers[0], signal.SIGKILL)

        done = kc.batch(
            "s3://models/from",
            "s3://models/to",
            **TO,
            verify="none",
            client=client,
            storage_options=stored.options,
            watch=watch,
        )
    assert done.code == 0, done.entries
    assert results(stored) == {f"{i}.tensorflow.h5": expected for i in range(10)}


def test_a_cluster_that_is_named_by_its_address(models, tmp_path):
    """Here, no client is the default one of the process."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as machines:
        done = kc.batch(models, tmp_path / "out", **TO, verify="none", scheduler=machines.scheduler_address)
    assert set(states(done).values()) == {"converted"} and done.code == 0


def test_a_cluster_makes_two_results_of_one_file(models, tmp_path):
    """Both have the name of the file; Dask runs what has the same key once."""
    from distributed import LocalCluster

    lines = ({"path": "lstm.h5", "to": backend, "format": "same"} for backend in ("tensorflow", "theano"))
    (models / "all.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as machines:
        done = kc.batch(
            models / "all.jsonl", tmp_path / "out", "theano", verify="none", scheduler=machines.scheduler_address
        )
    assert sorted(entry.state for entry in done.entries) == ["converted", "copied"] and done.code == 0
    assert sorted(path.name for path in written(tmp_path / "out")) == ["lstm.tensorflow.h5", "lstm.theano.h5"]


def test_a_scheduler_that_does_not_answer(models, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", "1s")
    with pytest.raises(kc.KconvertError, match=r"tcp://127.0.0.1:1: no scheduler answers"):
        kc.batch(models, tmp_path / "out", **TO, scheduler="tcp://127.0.0.1:1")


def test_a_scheduler_that_dies_in_the_middle(models, tmp_path):
    """What is not done fails, also what was never submitted; the same batch goes on elsewhere."""
    from distributed import Client

    for i in range(40):
        shutil.copy(LENET / "model.h5", models / f"{i}.h5")
    with Machines() as machines, Client(machines.address, timeout="2s") as client:

        def watch(count, total, entry):
            if count == 3:
                machines.scheduler.kill()

        done = kc.batch(models, tmp_path / "out", **TO, verify="none", client=client, watch=watch)
    assert len(done.entries) == 42 and done.code == Problem.SOME_FAILED
    assert "the scheduler does not answer any longer" in done.entries[0].error
    again = kc.batch(models, tmp_path / "out", **TO, verify="none", jobs=2)
    assert again.code == 0 and not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("url", ["ftp://x/y.h5", "zip://y.h5::http://x/a.zip", "simplecache::s3://models/a.h5"])
def test_other_protocols_and_chains_of_them_are_refused(url, tmp_path):
    """A chain could unpack anything, or keep copies in a cache."""
    with pytest.raises(kc.KconvertError, match=r"the protocol .* is not known; use s3://"):
        kc.batch(url, tmp_path / "out", **TO, verify="none")


class Endless(http.server.BaseHTTPRequestHandler):
    """Sends bytes until the reader leaves: as they are, or packed, so that few become many."""

    protocol_version = "HTTP/1.1"
    packed = zlib.compress(bytes(2**24))

    def do_GET(self):
        is_packed = "packed" in self.path
        self.send_response(200)
        headers = {"Content-Encoding": "deflate", "Content-Length": str(len(self.packed))} if is_packed else {}
        for name, value in {"Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(self.packed if is_packed else b"")
            while not is_packed:
                self.wfile.write(bytes(2**16))

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("name", ["endless.h5", "packed.h5", "endless.csv", "packed.jsonl"])
def test_a_server_that_sends_more_than_it_says_is_left(tmp_path, name):
    """Its bytes filled the disk or, as a manifest, the memory."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        with kc.limited(bytes=2**20):
            try:
                said = kc.batch(url, tmp_path / "out", "theano", "tensorflow", verify="none").entries[0].error
            except KconvertError as error:
                said = str(error)
        server.shutdown()
    assert f"{url}: sends more bytes than the" in said and "raise the limit with kconvert.limited(bytes=" in said


class InCircles(http.server.BaseHTTPRequestHandler):
    """Redirects each request to the same address."""

    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_a_server_that_redirects_in_circles_is_named(tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), InCircles) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/a.h5"
        said = kc.batch(url, tmp_path / "out", **TO, verify="none").entries[0].error
        server.shutdown()
    assert f"{url}: cannot be reached (TooManyRedirects: " in said


def test_a_server_that_never_answers_is_left(tmp_path, monkeypatch):
    """It held a worker for five minutes."""
    monkeypatch.setattr(places, "ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.h5"
        with pytest.raises(KconvertError, match=f"{url}: does not answer "):
            places.fetch(url, tmp_path, {})
    assert not list(tmp_path.iterdir())


def test_an_s3_server_that_never_answers_is_left(monkeypatch):
    """With the usual repetitions of s3fs and its client, a request took more than six minutes."""
    monkeypatch.setitem(places.S3_CONFIG, "read_timeout", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        options = {"key": "key", "secret": "secret", "endpoint_url": url}
        with pytest.raises(KconvertError, match=r"s3://models/a\.h5: does not answer .*; check the credentials"):
            places.stamp("s3://models/a.h5", options)
