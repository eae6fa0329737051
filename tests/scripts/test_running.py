"""Scripts run as `python SCRIPT` runs them, with kconvert as their Keras."""

import json
import sys
import textwrap

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.scripts.running import Run, run_script
from kconvert.scripts.shortening import Limits
from tests.cli.commands import ROOT, kconvert, run

pytestmark = pytest.mark.needs("tensorflow")

MODEL = """
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
model = Sequential([Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
x = np.ones((100, 2))
"""

DROPOUT = MODEL.replace("[Dense", "[Dropout(0.5, input_shape=(2,)), Dense").replace("Dense\n", "Dense, Dropout\n")


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Writes a script and gives its path; the working directory is its folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="script.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return str(path)

    return write


def ran(path, *arguments, **options):
    return run_script(path, Run(arguments, "tensorflow", **options))


def logs(path, **options):
    return ran(path, **options)[1].logs


# ------------------------------------------------------------- as Python does ----


def test_a_script_finds_what_python_gives_it(script, capsys):
    code, _ = ran(
        script("""
        import os, sys
        import beside
        main = sys.modules["__main__"]
        print(sys.argv[1:], __name__, os.path.basename(__file__), beside.value, main.beside is beside)
        """),
        *("-v", "2"),
    ) if script("value = 5", "beside.py") else None  # fmt: skip
    assert code == 0
    assert capsys.readouterr().out == "['-v', '2'] __main__ script.py 5 True\n"


def test_what_a_run_changes_is_as_before_after_it(script):
    before = sys.argv, sys.path[:], sys.modules["__main__"], sys.modules.get("keras"), sys.meta_path[:]
    ran(script("import keras, keras.layers.core\nimport numpy\nnumpy.float"))
    assert before == (sys.argv, sys.path, sys.modules["__main__"], sys.modules.get("keras"), sys.meta_path)
    assert "float" not in np.__dict__ or "theano" in sys.modules


@pytest.mark.parametrize(
    "end, code", [("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('no')", 1), ("raise OSError('no')", 1)]
)
def test_the_exit_code_is_that_of_python(script, end, code):
    assert ran(script(f"import sys\n{end}"))[0] == code


def test_every_import_of_keras_is_the_module_of_kconvert(script, capsys):
    ran(
        script("""
        import keras
        import keras.layers.core as core
        from keras import backend as K
        from keras.layers.core import Dense
        from tensorflow.keras.layers import Dense as of_tensorflow
        from tensorflow import keras as also
        print(keras.__name__, core.Dense is Dense is of_tensorflow, also is keras, K.backend(), keras.__spec__.name)
        """)
    )
    assert capsys.readouterr().out == "kconvert.keras True True tensorflow kconvert.keras\n"


# -------------------------------------------------------------------- errors ----


def test_an_error_of_the_script_shows_its_own_frames_alone(script, capsys):
    path = script(MODEL + "def broken(epoch):\n    return nothing\n"
                  "from keras.callbacks import LearningRateScheduler\n"
                  "model.fit(x, x[:, :1], callbacks=[LearningRateScheduler(broken)], verbose=0)\n")  # fmt: skip
    assert ran(path)[0] == 1
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback (most recent call last):\n")
    assert shown.endswith("NameError: name 'nothing' is not defined\n")
    assert shown.count('File "') == shown.count(path) == 2


@pytest.mark.parametrize(
    "text, words",
    [
        ("import nothing_like_it", "line 1: the script needs the package 'nothing_like_it'"),
        ("\nopen('data.csv')", "line 2: the script needs 'data.csv', which does not exist"),
        ("from keras.layers import Nothing", "cannot import name 'Nothing'"),
        ("import keras.nothing", "Keras has no module 'keras.nothing'"),
        ("import socket\nsocket.getaddrinfo('x.invalid', 80)", "the script needs the network"),
        ("a = = 1", "line 1: this is not a script of Python 3 (invalid syntax), nor of Python 2"),
        ("a = (", "this is not a script of Python 3"),
        ("from keras.layers import Dense\nDense(3, padding='same')", "line 2: Dense has no argument 'padding'"),
    ],
)
def test_what_a_script_lacks_is_one_sentence(script, text, words, capsys):
    with pytest.raises(KconvertError) as error:
        assert ran(script(text))[0] == 1
        raise KconvertError(capsys.readouterr().err.splitlines()[-1])
    assert words in str(error.value)


def test_a_missing_script_is_one_sentence(tmp_path):
    done = run("run", tmp_path / "nothing.py")
    assert done.exit_code == 4
    assert done.output.count("\n") == 1


# --------------------------------------------------------------- what is gone ----


def test_names_that_numpy_dropped_are_there_with_a_note(script, capsys):
    ran(script("import numpy as n\nprint(n.zeros(2, n.float), n.asscalar(n.ones(1)))"))
    shown = capsys.readouterr()
    assert shown.out == "[0. 0.] 1.0\n"
    assert "line 2: NumPy has no np.float any more; it means float here" in shown.err
    assert "np.asscalar" in shown.err


def test_modules_that_are_gone_are_there_with_a_note(script, capsys):
    pytest.importorskip("PIL")
    ran(
        script("""
        import numpy as np
        import cPickle as pickle
        from scipy.misc import imread, imresize, imsave
        imsave("a.png", np.arange(4.0).reshape(2, 2))
        print(imread("a.png").tolist(), imresize(np.zeros((2, 4), "uint8"), (4, 6)).shape, pickle.__name__)
        """)
    )
    shown = capsys.readouterr()
    assert shown.out == "[[0, 85], [170, 255]] (4, 6) pickle\n"
    assert "scipy.misc is gone" in shown.err


# --------------------------------------------------------------- shorter runs ----


def test_epochs_and_samples_are_cut_and_that_is_said(script, capsys):
    path = script(
        MODEL + "model.fit(x, x[:, :1], epochs=9, batch_size=10, verbose=0)\nprint(model.evaluate(x, x[:, :1]))"
    )
    _, history = ran(path, limits=Limits(20, 2))
    assert history.places == ["fit 1, epoch 1", "fit 1, epoch 2"]
    said = capsys.readouterr().err
    assert "epochs=2: fit trains 2 of 9 epochs" in said
    assert "samples=20: fit takes 20 of 100 samples" in said
    assert "samples=20: evaluate takes 20 of 100 samples" in said


def test_batches_of_a_generator_are_cut(script, capsys):
    path = script(MODEL + """
def batches():
    while True:
        yield x[:10], x[:10, :1]
model.fit_generator(batches(), steps_per_epoch=50, epochs=1, verbose=0, validation_data=batches(), validation_steps=50)
""")  # fmt: skip
    ran(path, limits=Limits(30))
    assert "samples=30: fit takes 3 of 50 batches" in capsys.readouterr().err


def test_a_generator_that_its_callback_prepares_is_not_asked_before(script, capsys):
    text = """
    from keras.callbacks import Callback
    class Data(Callback):
        def on_train_begin(self, logs=None):
            self.size = 10
        def batches(self):
            while True:
                yield x[: self.size], x[: self.size, :1]
    data = Data()
    model.fit_generator(data.batches(), steps_per_epoch=50, epochs=1, callbacks=[data], verbose=0)
    """
    assert ran(script(MODEL + textwrap.dedent(text)), limits=Limits(64))[0] == 0
    assert "samples=64: fit takes 2 of 50 batches" in capsys.readouterr().err


def test_a_model_of_a_fixed_batch_takes_whole_batches(script, capsys):
    fixed = MODEL.replace("input_shape=(2,)", "batch_input_shape=(25, 2)")
    ran(script(fixed + "model.fit(x, x[:, :1], batch_size=25, verbose=0)"), limits=Limits(60))
    assert "fit takes 50 of 100 samples" in capsys.readouterr().err


def test_data_sets_are_cut(script, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path))
    ran(
        script("""
        from keras.datasets import boston_housing
        (x, y), (x_test, y_test) = boston_housing.load_data()
        print(x.shape, y.shape, x_test.shape)
        """),
        limits=Limits(7),
    )
    assert capsys.readouterr().out == "(7, 13) (7,) (7, 13)\n"


def test_a_data_set_whose_size_the_script_states_is_not_cut(script, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path))
    text = "from keras.datasets import boston_housing as b\nprint(b.load_data()[0][0].reshape(404, 13).shape)"
    ran(script(text), limits=Limits(7))
    shown = capsys.readouterr()
    assert shown.out == "(404, 13)\n"
    assert "boston_housing is not cut, because the script states its size 404" in shown.err


# ---------------------------------------------------------------------- seeds ----


def test_a_seed_makes_a_run_reproducible(script):
    path = script(MODEL + "model.fit(x, x[:, :1], verbose=0)")
    assert logs(path, seed=1) == logs(path, seed=1) != logs(path, seed=2)


def test_numpys_seed_makes_a_script_reproducible(script):
    path = script(
        "import numpy\nnumpy.random.seed(3)" + DROPOUT + "for _ in range(2): model.fit(x, x[:, :1], verbose=0)"
    )
    _, history = ran(path)
    assert history.random == ["Dropout", "Dropout"]
    assert history.logs == logs(path)


# ------------------------------------------------------------ both backends ----


@pytest.mark.needs("theano")
def test_both_backends_give_the_same_losses():
    done = kconvert("compare", "tests/scripts/line.py", "--epochs", 2, "--json")
    stated = json.loads(done.stdout)
    assert (done.returncode, stated["equal"], len(stated["losses"])) == (0, True, 2)


@pytest.mark.needs("theano")
def test_losses_that_differ_are_shown_and_dropout_is_named(script):
    path = script(DROPOUT + "model.fit(np.random.rand(100, 2), x[:, :1], verbose=0)")
    done = kconvert("compare", path)
    assert done.returncode == 1
    assert "DIFFERS" in done.stdout
    assert "random layers (Dropout)" in done.stdout
    assert "--no-random-layers trains without them" in done.stdout
    done = kconvert("compare", path, "--no-random-layers")
    assert (done.returncode, "DIFFERS" in done.stdout, "random layers" in done.stdout) == (0, False, False)


@pytest.mark.needs("theano")
def test_a_script_that_fails_on_one_backend_is_one_sentence(script):
    path = script("from keras import backend as K\nif K.backend() == 'tensorflow': raise OSError('no disk')")
    done = kconvert("compare", path)
    assert done.returncode == 5
    assert "the script fails on tensorflow: OSError: no disk" in done.stderr


def test_the_page_shows_the_script():
    text = (ROOT / "tests" / "scripts" / "line.py").read_text(encoding="utf-8")
    assert f"```py\n{text}```" in (ROOT / "docs" / "scripts.md").read_text(encoding="utf-8")


def test_a_loop_over_epochs_around_training_is_shortened(script, capsys):
    code, history = ran(
        script(
            MODEL + "for epoch in range(1, 30):\n    for i in range(2):\n        model.train_on_batch(x, x[:, :1])\n"
            "for i in range(3):\n    pass\nprint(epoch, i)\n"
        ),
        limits=Limits(epochs=2),
    )
    assert code == 0 and history.batches == 4
    found = capsys.readouterr()
    assert found.out == "2 2\n" and "the loop in line 8 runs 2 of 29 times" in found.err


def test_a_gradient_ascent_is_shortened_in_its_innermost_loop(script, capsys):
    text = """
    import numpy as np
    from keras import backend as K
    x = K.placeholder((2,))
    for i in range(3):
        step = K.function([x], [K.sum(x) + i])
        for j in range(9):
            value, = step([np.ones(2)])
        print(i, j, float(value))
    """
    ran(script(text), limits=Limits(epochs=1))
    found = capsys.readouterr()
    assert found.out == "0 0 2.0\n1 0 3.0\n2 0 4.0\n" and "the loop in line 7 runs 1 of 9 times" in found.err


# ------------------------------------------------------------------- Python 2 ----


def test_a_script_of_python_2_runs(script, capsys):
    code, _ = ran(
        script(
            """
        import numpy as np
        halves = np.arange(5)
        halves /= 2
        print "a", 7 / 2, 7 / 2., np.float32(3) / 2, halves, map(lambda n: n / 2, range(3))
        table = {"b": 1}
        if table.has_key("b"):
        \tfor key, value in table.iteritems():
        \t    print key, value
        try:
            raise ValueError, "no"
        except ValueError, error:
            print error
        """.replace("\\t", "\t")
        )
    )
    found = capsys.readouterr()
    assert code == 0
    assert found.out == "a 3 3.5 1.5 [0 0 1 1 2] [0, 0, 1]\nb 1\nno\n"
    assert "the script is of Python 2 (print without parentheses in line 5)" in found.err


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("for i in xrange(1): print(1 / 2)", "0"),
        ("from __future__ import division\nfor i in xrange(1): print(1 / 2)", "0.5"),
        ("from six.moves import xrange\nfor i in xrange(1): print(1 / 2)", "0.5"),
        ("try: raw_input\nexcept NameError: raw_input = input\nprint(1 / 2)", "0.5"),
    ],
)
def test_names_tell_python_2(script, capsys, text, shown):
    ran(script(text))
    assert capsys.readouterr().out == f"{shown}\n"


def test_the_version_of_python_can_be_stated(script, capsys):
    path = script("from __future__ import print_function\na = [5]\na[0] /= 2\nprint(a[0], 1 / 2)")
    ran(path, python=2)
    assert capsys.readouterr().out == "2 0\n"
    ran(path)
    assert capsys.readouterr().out == "2.5 0.5\n"
    with pytest.raises(KconvertError, match="python=2"):
        ran(script("print 'x'"), python=3)


def test_a_division_in_place_of_a_call_is_refused(script):
    with pytest.raises(KconvertError, match=r"line 2: '/=' of Python 2"):
        ran(script("a = {}\na[len(a)] /= 2"), python=2)


# --------------------------------------------------------------- files elsewhere ----


def test_files_are_found_in_the_folder_of_data(script, capsys, tmp_path):
    texts = tmp_path / "mine" / "texts"
    texts.mkdir(parents=True)
    (texts / "a.txt").write_text("a")
    np.save(texts / "b.npy", np.arange(3))
    (tmp_path / "here.txt").write_text("here")
    (tmp_path / "mine" / "here.txt").write_text("there")
    path = script("""
    import os
    import numpy as np
    from keras.utils import get_file
    print(open("/nowhere/texts/a.txt").read(), sorted(os.listdir("../texts")), open("here.txt").read())
    print(np.load("data/texts/b.npy"), os.path.exists("/nowhere/c.txt"), os.path.basename(get_file("here.txt", "")))
    open("new.txt", "w").write("new")
    """)
    ran(path, data="mine")
    found = capsys.readouterr()
    assert found.out == "a ['a.txt', 'b.npy'] here\n[0 1 2] False here.txt\n"
    assert f"'/nowhere/texts/a.txt' does not exist; {texts / 'a.txt'} takes its place" in found.err
    assert (tmp_path / "new.txt").exists() and not (tmp_path / "mine" / "new.txt").exists()
    with pytest.raises(KconvertError, match=r"the script needs '/nowhere/texts/a\.txt'.*data='DIR'"):
        ran(path)


def test_a_script_of_keras_1_is_told_by_its_words(script, capsys):
    path = script("""
    import numpy as np
    from keras import backend as K
    from keras.models import Sequential
    from keras.layers import Convolution2D, Dense, Flatten
    model = Sequential()
    model.add(Convolution2D(2, 3, 3, border_mode='same', input_shape=(4, 4, 1)))
    model.add(Flatten())
    model.add(Dense(1))
    model.compile('sgd', 'mse')
    print(sorted(model.fit(np.zeros((6, 4, 4, 1)), np.zeros(6), nb_epoch=3, verbose=0).history), K.image_dim_ordering())
    """)
    code, history = ran(path, limits=Limits(epochs=1))
    assert code == 0 and len(history.logs) == 1
    found = capsys.readouterr()
    assert found.out == "['loss'] tf\n" and "the script is of Keras 1.2.2" in found.err


def test_texts_are_split_as_before_python_3_7(script, capsys):
    ran(script(r"import re; print(re.split(r'(\W+)?', 'to be'), re.split(r'\W', 'a b'))"))
    found = capsys.readouterr()
    assert found.out == "['to', ' ', 'be'] ['a', 'b']\n" and "re.split left out empty matches" in found.err


def test_errors_of_a_backend_are_shown_without_its_graph(script, capsys):
    code, _ = ran(
        script("""
        import numpy as np
        from keras.layers import Embedding
        from keras.models import Sequential
        model = Sequential([Embedding(3, 2, input_length=1)])
        model.predict(np.array([[5]]))
        """)
    )
    shown = capsys.readouterr().err
    assert code == 1 and shown.splitlines()[-1].endswith("indices[0,0] = 5 is not in [0, 3)") and "node" not in shown


def test_old_names_of_scores_are_translated():
    pytest.importorskip("sklearn")
    from kconvert.scripts.grid_search import GridSearchCV, KFold

    assert GridSearchCV(None, {}, scoring="log_loss").scoring == "neg_log_loss"
    assert GridSearchCV(None, {}, scoring="accuracy").scoring == "accuracy" and KFold


def test_searches_with_old_names_can_be_copied():
    """scikit-learn copies and prints estimators by the signature of their class."""
    sklearn = pytest.importorskip("sklearn")
    pytest.importorskip("sklearn.dummy")
    from kconvert.scripts.grid_search import RandomizedSearchCV

    search = RandomizedSearchCV(sklearn.dummy.DummyClassifier(), {"strategy": ["prior"]}, n_iter=1, scoring="log_loss")
    assert sklearn.clone(search).get_params()["scoring"] == "neg_log_loss"
    assert "neg_log_loss" in repr(search)
