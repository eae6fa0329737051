"""The data sets of Keras: local files read as real Keras 2.3.1 reads them, and seeded data where there is no file."""

import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest

import kconvert.keras as keras
from kconvert.errors import KconvertError
from kconvert.keras.own import folders

TEXTS = [[1, 5], [2, 6, 3], [3, 7, 3, 7], [4, 8], [5, 9, 3], [6, 10, 3, 7]]
CLASSES = np.array([0, 1, 0, 1, 0, 1])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of data sets."""
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path))
    folders.say_made_up.cache_clear()
    return tmp_path


def lists(texts):
    result = np.empty(len(texts), object)
    result[:] = texts
    return result


def as_lists(data):
    (x, y), (x_test, y_test) = data
    return x.tolist(), y.tolist(), x_test.tolist(), y_test.tolist()


# ------------------------------------------------------------------- texts ----


@pytest.fixture
def texts(folder):
    """The files of IMDB and Reuters with six texts."""
    x = lists(TEXTS)
    np.savez(folder / "imdb.npz", x_train=x, y_train=CLASSES, x_test=x[:4], y_test=CLASSES[:4])
    np.savez(folder / "reuters.npz", x=x, y=CLASSES)


# What load_data of Keras 2.3.1 returned for these files.
IMDB = {
    "plain": (
        {},
        [[1, 5, 9, 6], [1, 4, 8], [1, 7, 11], [1, 6, 10, 6, 10], [1, 8, 12, 6], [1, 9, 2, 6, 10]],
        [1, 0, 1, 0, 0, 1],
        [[1, 4, 8], [1, 5, 9, 6], [1, 7, 11], [1, 6, 10, 6, 10]],
        [0, 1, 1, 0],
    ),
    "words left out": (
        {"num_words": 8, "skip_top": 5, "oov_char": None},
        [[5, 6], [], [7], [6, 6], [6], [6]],
        [1, 0, 1, 0, 0, 1],
        [[], [5, 6], [7], [6, 6]],
        [0, 1, 1, 0],
    ),
    "texts left out": (
        {"maxlen": 5, "index_from": 0, "seed": 3},
        [[1, 4, 8], [1, 5, 2, 3], [1, 2, 6, 3], [1, 1, 5], [1, 4, 8], [1, 2, 6, 3]],
        [1, 0, 1, 0, 1, 1],
        [[1, 1, 5]],
        [0],
    ),
}


@pytest.mark.shows("datasets.imdb.load_data")
@pytest.mark.parametrize("case", IMDB)
def test_imdb_reads_the_file_as_keras_does(texts, case):
    options, *expected = IMDB[case]
    assert list(as_lists(keras.datasets.imdb.load_data(**options))) == expected


@pytest.mark.shows("datasets.reuters.load_data")
def test_reuters_reads_the_file_as_keras_does(texts):
    data = keras.datasets.reuters.load_data(num_words=8)
    train = [[1, 5, 2, 6], [1, 4, 2], [1, 7, 2], [1, 6, 2, 6, 2]]
    assert as_lists(data) == (train, [1, 0, 1, 0], [[1, 2, 2, 6], [1, 2, 2, 6, 2]], [0, 1])


def test_texts_that_are_all_too_long_are_refused(texts):
    with pytest.raises(KconvertError, match="no review is shorter than maxlen=2"):
        keras.datasets.imdb.load_data(maxlen=2)


def test_pickled_code_in_a_file_is_not_run(folder):
    np.savez(folder / "reuters.npz", x=lists([print]), y=CLASSES)
    with pytest.raises(KconvertError, match=r"asks for builtins\.print"):
        keras.datasets.reuters.load_data()


@pytest.mark.shows("datasets.imdb.get_word_index", "datasets.reuters.get_word_index")
def test_the_index_of_words(folder):
    (folder / "imdb_word_index.json").write_text('{"the": 1, "film": 2}')
    assert keras.datasets.imdb.get_word_index() == {"the": 1, "film": 2}


# ------------------------------------------------------------------ images ----


@pytest.mark.shows("datasets.mnist.load_data")
@pytest.mark.shows("datasets.mnist.load_data", of="keras1")
def test_mnist_reads_the_file(folder):
    x, y = np.arange(2 * 784, dtype="uint8").reshape(2, 28, 28), np.array([3, 4], "uint8")
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    (read, labels), (test, _) = keras.datasets.mnist.load_data()
    assert (read == x).all() and labels.tolist() == [3, 4] and test.shape == (1, 28, 28)


def test_a_file_that_is_not_of_keras_is_refused(folder):
    (folder / "mnist.npz").write_bytes(b"no archive")
    with pytest.raises(KconvertError, match=r"mnist\.npz"):
        keras.datasets.mnist.load_data()


@pytest.mark.shows("datasets.fashion_mnist.load_data")
def test_fashion_mnist_reads_the_files(folder):
    (folder / "fashion-mnist").mkdir()
    images = np.arange(784, dtype="uint8")
    for part in ("train", "t10k"):
        for what, content in (("images-idx3", bytes(16) + images.tobytes()), ("labels-idx1", bytes(8) + b"\x07")):
            with gzip.open(folder / "fashion-mnist" / f"{part}-{what}-ubyte.gz", "wb") as file:
                file.write(content)
    (x, y), _ = keras.datasets.fashion_mnist.load_data()
    assert (x == images.reshape(1, 28, 28)).all() and y.tolist() == [7]


def cifar(n, key, protocol=2):
    """A file of `n` images, all values of an image being its number."""
    data = np.repeat(np.arange(n, dtype="uint8")[:, None], 3072, axis=1)
    data[:, :1024] += 100  # red
    return pickle.dumps({b"data": data, key: list(range(n))}, protocol)


@pytest.mark.shows("datasets.cifar10.load_data", "datasets.cifar10.load_batch", "datasets.cifar100.load_data")
@pytest.mark.parametrize("packed", [False, True])
def test_cifar10_reads_the_files(folder, packed):
    files = {f"data_batch_{i}": cifar(2, b"labels") for i in range(1, 6)} | {"test_batch": cifar(3, b"labels")}
    if packed:
        with tarfile.open(folder / "cifar-10-batches-py.tar.gz", "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    else:
        (folder / "cifar-10-batches-py").mkdir()
        for name, content in files.items():
            (folder / "cifar-10-batches-py" / name).write_bytes(content)
    (x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()
    assert x.shape == (10, 32, 32, 3) and x[1, 5, 7].tolist() == [101, 1, 1]
    assert (y.ravel().tolist(), y.dtype) == ([0, 1] * 5, "uint8")
    assert x_test.shape == (3, 32, 32, 3) and y_test.tolist() == [[0], [1], [2]]


def test_a_missing_file_of_cifar_is_named(folder):
    (folder / "cifar-100-python").mkdir()
    (folder / "cifar-100-python" / "train").write_bytes(cifar(2, b"coarse_labels"))
    with pytest.raises(KconvertError, match="cifar-100-python/test"):
        keras.datasets.cifar100.load_data("coarse")


@pytest.mark.shows("datasets.boston_housing.load_data")
def test_boston_housing_is_divided_as_in_keras(folder):
    np.savez(folder / "boston_housing.npz", x=np.arange(20.0).reshape(10, 2), y=np.arange(10.0))
    (x, y), (x_test, y_test) = keras.datasets.boston_housing.load_data()
    assert y.tolist() == [9, 3, 6, 1, 0, 7, 4, 8] and x[0].tolist() == [18, 19]
    assert y_test.tolist() == [2, 5] and x_test.tolist() == [[4, 5], [10, 11]]


# ----------------------------------------------------------------- made up ----


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "labels"),
    [
        ("mnist", (60000, 28, 28), "uint8", (60000,)),
        ("cifar10", (50000, 32, 32, 3), "uint8", (50000, 1)),
        ("reuters", (8982,), "object", (8982,)),
        ("boston_housing", (404, 13), "float64", (404,)),
    ],
)
def test_without_a_file_seeded_data_of_the_same_shape_are_used_and_said_once(
    folder, capsys, name, shape, dtype, labels
):
    load_data = getattr(keras.datasets, name).load_data
    (x, y), _ = load_data()
    assert (x.shape, x.dtype, y.shape) == (shape, dtype, labels)
    (again, _), _ = load_data()
    assert all(np.array_equal(a, b) for a, b in zip(x[:50], again[:50], strict=True))
    said = capsys.readouterr().err
    assert said.count("made-up") == 1 and str(folder) in said
