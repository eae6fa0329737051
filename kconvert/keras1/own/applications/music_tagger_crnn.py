"""MusicTaggerCRNN, with the names of layers and of files of Keras 1.2.2."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ....errors import KconvertError, Problem
from ....keras.own.applications.building import input_of
from ....keras.own.networks import get_source_inputs
from ....layers.inputs import Input
from .. import layers as _layers
from ..models import Model
from ..settings import image_dim_ordering
from .building import channel_axis, existing, load_file

L: Any = _layers

SONGS = "msd"
"""The weights of the Million Song Dataset."""

_BLOCKS = ((64, 2), (128, 3), (128, 4), (128, 4))
"""For each block its filters, and the rows and columns of its pooling."""

_TAGS = tuple(
    """
    rock,pop,alternative,indie,electronic,female vocalists,dance,00s,alternative rock,jazz
    beautiful,metal,chillout,male vocalists,classic rock,soul,indie rock,Mellow,electronica,80s
    folk,90s,chill,instrumental,punk,oldies,blues,hard rock,ambient,acoustic
    experimental,female vocalist,guitar,Hip-Hop,70s,party,country,easy listening,sexy,catchy
    funk,electro,heavy metal,Progressive rock,60s,rnb,indie pop,sad,House,happy
    """.strip()
    .replace("\n    ", ",")
    .split(",")
)
"""The words that the outputs stand for, in their order."""


def MusicTaggerCRNN(
    weights: str | None = SONGS, input_tensor: Any = None, include_top: bool = True, classes: int = 50
) -> Model:
    """MusicTaggerCRNN (Choi and others, 2016): words for a mel-spectrogram of 96 x 1366.

    weights: 'msd' for the file of Keras, None, or the path of a file. include_top: whether the network ends with its
    classes. Raises KconvertError where the file is missing.
    """
    existing(weights, SONGS)
    if weights == SONGS and include_top and classes != 50:
        raise KconvertError("the weights of the Million Song Dataset are of 50 classes", problem=Problem.USAGE)
    ordering, channels = image_dim_ordering(), channel_axis()
    shape = (1, 96, 1366) if ordering == "th" else (96, 1366, 1)
    start = Input(shape) if input_tensor is None else input_of(input_tensor)
    x = L.ZeroPadding2D(padding=(0, 37))(start)
    x = L.BatchNormalization(axis=3 if ordering == "th" else 2, name="bn_0_freq")(x)
    for i, (filters, size) in enumerate(_BLOCKS, 1):
        x = L.Convolution2D(filters, 3, 3, border_mode="same", name=f"conv{i}")(x)
        x = L.ELU()(L.BatchNormalization(axis=channels, mode=0, name=f"bn{i}")(x))
        x = L.MaxPooling2D(pool_size=(size, size), strides=(size, size), name=f"pool{i}")(x)
    if ordering == "th":
        x = L.Permute((3, 1, 2))(x)
    x = L.GRU(32, return_sequences=True, name="gru1")(L.Reshape((15, 128))(x))
    x = L.GRU(32, return_sequences=False, name="gru2")(x)
    if include_top:
        x = L.Dense(classes, activation="sigmoid", name="output")(x)
    model = Model(start if input_tensor is None else get_source_inputs(start), x, name="music_tagger_crnn")
    if weights == SONGS:
        name = f"music_tagger_crnn_weights_tf_kernels_{ordering}_dim_ordering.h5"
        load_file(model, name, "tensorflow", by_name=True)
    elif weights is not None:
        model.load_weights(weights)
    return model


def preprocess_input(audio_path: str, dim_ordering: str = "default") -> NoReturn:
    """Raises KconvertError: Keras reads audio files with a function that librosa no longer has."""
    what = (
        "preprocess_input of music_tagger_crnn reads audio files with librosa.logamplitude, which librosa has removed"
    )
    fix = "compute the mel-spectrogram of 96 x 1366 with librosa, and give it to the network as an array"
    raise KconvertError(what, str(audio_path), fix, Problem.UNSUPPORTED)


def decode_predictions(preds: Any, top_n: int = 5) -> list[list[tuple[str, Any]]]:
    """For each sample, the `top_n` most probable words with their probabilities.

    preds: (samples, 50). Raises KconvertError for another shape.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != len(_TAGS):
        what = f"predictions of MusicTaggerCRNN have the shape (samples, 50), not {preds.shape}"
        raise KconvertError(what, "decode_predictions", problem=Problem.USAGE)
    return [sorted(zip(_TAGS, row, strict=True), key=lambda pair: pair[1], reverse=True)[:top_n] for row in preds]
