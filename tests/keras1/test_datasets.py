"""The data sets of Keras 1.2.2, from its files; the right values follow from its sources."""

from __future__ import annotations

import gzip
import pickle

import numpy as np
import pytest
from kconvert.keras1.datasets import cifar10, imdb, mnist, reuters

from kconvert.errors import KconvertError

TEXTS = [[1, 5, 2], [3, 4], [6, 1, 1, 2], [2, 9]]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path))
    return tmp_path


def shuffled(seed, values):
    """As Keras 1.2.2 shuffles: by NumPy's global generator."""
    values = list(values)
    np.random.seed(seed)
    np.random.shuffle(values)
    return values


def test_words_are_numbered_as_in_keras_1_2_2(folder):
    (folder / "imdb_full.pkl").write_bytes(pickle.dumps(((TEXTS, [0, 1, 0, 1]), (TEXTS[:2], [1, 0])), 2))
    (x, y), (_, y_test) = imdb.load_data(nb_words=8, skip_top=2)
    numbered = [[2, *(2 if w + 3 >= 8 else w + 3 for w in text)] for text in shuffled(113, TEXTS)]
    assert [list(one) for one in x] == numbered
    assert y.tolist() == shuffled(113, [0, 1, 0, 1]) and y_test.tolist() == shuffled(226, [1, 0])
    kept = imdb.load_data(nb_words=8, skip_top=5, start_char=None, oov_char=None)[0][0]
    assert [list(one) for one in kept] == [[w + 3 for w in t if w + 3 >= 8 or w + 3 < 5] for t in shuffled(113, TEXTS)]


def test_reuters_gives_lists(folder):
    (folder / "reuters.pkl").write_bytes(pickle.dumps((TEXTS, [0, 1, 2, 3]), 2))
    (x, y), (x_test, y_test) = reuters.load_data(test_split=0.5)
    assert y + y_test == shuffled(113, [0, 1, 2, 3]) and len(x) == len(x_test) == 2
    assert x[0] == [1, *(2 if w + 3 == 12 else w + 3 for w in shuffled(113, TEXTS)[0])]


def test_words_are_read_from_the_file_of_keras_1(folder):
    (folder / "reuters_word_index.pkl").write_bytes(pickle.dumps({"the": 1, "a": 2}, 2))
    assert reuters.get_word_index() == {"the": 1, "a": 2}


def test_images_are_read_from_the_file_of_keras_1(folder):
    parts = [np.arange(8, dtype="uint8").reshape(2, 2, 2), np.array([3, 4], "uint8")]
    with gzip.open(folder / "mnist.pkl.gz", "wb") as file:
        pickle.dump((tuple(parts), tuple(parts)), file, 2)
    (x, _), (_, y_test) = mnist.load_data()
    assert (x == parts[0]).all() and (y_test == parts[1]).all()


def test_a_file_with_anything_else_is_refused(folder):
    (folder / "imdb_full.pkl").write_bytes(pickle.dumps(np.random.RandomState, 2))
    with pytest.raises(KconvertError, match="the pickled data asks for"):
        imdb.load_data()


def test_made_up_data_have_the_shapes_of_the_files(folder):
    (x, y), _ = imdb.load_data(nb_words=50)
    assert x.shape == y.shape == (25_000,) and max(map(max, x[:100])) < 50
    assert np.shape(cifar10.load_data()[1][0]) == (10_000, 32, 32, 3)
