"""Of which release of Keras a script is."""

import pytest

from kconvert.scripts.words import NEW, OLD, Script


def release(tmp_path, text):
    path = tmp_path / "script.py"
    path.write_text(text, encoding="utf-8")
    found, word = Script(str(path)).release()
    return found, word and word.text


@pytest.mark.parametrize(
    "text, word",
    [
        ("model.fit(x, y, nb_epoch=3)", "nb_epoch"),
        ("model.fit_generator(g, samples_per_epoch=10)", "samples_per_epoch"),
        ("Convolution2D(8, 3, 3)", "Convolution2D with its sizes one by one"),
        ("model.add(MaxPooling2D(border_mode='same'))", "border_mode"),
        ("Dense(output_dim=3)", "output_dim"),
        ("LSTM(3, dropout_W=0.2)", "dropout_W"),
        ("from keras.layers import Merge", "Merge"),
        ("from keras.regularizers import WeightRegularizer", "WeightRegularizer"),
        ("import keras.initializations", "keras.initializations"),
        ("from keras import backend as K\nK.image_dim_ordering()", "K.image_dim_ordering"),
        ("Model(input=a, output=b)", "input"),
    ],
)
def test_words_of_1_2_2(tmp_path, text, word):
    assert release(tmp_path, text) == (OLD, word)


@pytest.mark.parametrize(
    "text",
    [
        "import numpy",
        "model.fit(x, y, epochs=3)",
        "Conv2D(8, (3, 3), padding='same')",
        "Embedding(10, output_dim=3)",
        "from keras.layers import Dense, add",
        "from keras import backend as K\nK.image_data_format()",
        "model.fit(x, y, epochs=3, validation_steps=2)\nmodel.fit(x, y, nb_epoch=3)",
    ],
)
def test_words_of_2_3_1(tmp_path, text):
    assert release(tmp_path, text)[0] == NEW
