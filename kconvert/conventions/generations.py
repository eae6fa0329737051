"""What each generation of Keras writes into files: facts as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import partial
from typing import Any

from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .backends import BACKENDS, BackendFacts
from .words import tf_keras_writing
from .words.table import KERAS0, KERAS1, KERAS2, KERAS3, WORDS, Words


@dataclass(frozen=True)
class Reader:
    """A current package that reads files of a generation, and its properties."""

    # the name under which it is imported
    package: str
    # its name in messages
    title: str
    # the prefix of its releases; '': any
    releases: str
    # its backends; the first one that is installed is used
    backends: tuple[str, ...]
    # the classes of layers that it does not have, or computes differently: they are written as layers that it has
    # (conversion/passes/expressions.py)
    lacks: frozenset[str]
    # it uses the mask of a recurrent layer with initial states, and merges masks as Keras 2 does
    # (keras-facts: masks-beside-states, merged-masks)
    masks_of_keras2: bool
    # its Bidirectional gives zeros at masked steps, and no option prevents that (keras-facts: masked-bidirectional)
    zeros: bool
    # names of layers may have a '/'
    slashes: bool
    # it reads files of tf.keras as they are meant
    reads_tf_keras: bool
    # the end of a sentence about what it computes differently in channels_first; '': nothing
    channels_first: str = ""


_OF_KERAS1 = frozenset({"BatchNormalization", "Highway", "MaxoutDense", "ParametricSoftplus", "SReLU", "UpSampling2D"})

READER_KERAS3 = Reader(
    "keras",
    "Keras 3",
    "3.",
    ("tensorflow", "jax", "torch"),
    lacks=_OF_KERAS1 | {"LocallyConnected1D", "LocallyConnected2D", "ThresholdedReLU"},
    masks_of_keras2=False,
    zeros=False,
    slashes=False,
    reads_tf_keras=False,
    channels_first="; there Keras 3 may add a bias along another axis in model(x), not in predict",
)
READER_TF_KERAS = Reader(
    "tf_keras",
    "tf_keras",
    "2.",
    tf_keras_writing.BACKENDS,
    lacks=_OF_KERAS1 | {"ThresholdedLinear"},
    masks_of_keras2=True,
    zeros=True,
    slashes=True,
    reads_tf_keras=True,
)


# ------------------------------------------------------------- generations ----


@dataclass(frozen=True)
class Generation:
    """What one generation of Keras writes (keras-facts: generations)."""

    # Its name in files made by kconvert, in reports and on the command line
    name: str
    # Its releases, the first and the last one
    releases: str
    # The prefix of the `keras_version` of its files; the longest prefix counts (keras-facts: form-by-release)
    versions: tuple[str, ...]
    # Groups and arrays of a file have numbers; otherwise they have names (keras-facts: keras0-files, named-files)
    numbered: bool
    # Recurrent layers store one array for all gates
    fused_gates: bool
    # The names of weights that have another name in Keras 2 (keras-facts: weight-names)
    weight_names: Mapping[str, str] = field(hash=False)
    # By layer class, the weights in the order of its files where that is not the order of Keras 2
    # (keras-facts: highway-order)
    weight_orders: Mapping[str, tuple[str, ...]] = field(hash=False)
    # The name of an array begins with the path of its layer: 'dense_1/kernel' and not 'dense_1_W'
    scoped_names: bool
    # Only `keras_version` distinguishes its files from those of similar generations: the names are the same
    told_by_release: bool
    # Files state their backend, and weights alone state their release too (keras-facts: who-wrote-it)
    states_backend: bool
    # A list of names that is too long for one attribute is split (keras-facts: split-lists-of-names)
    splits_names: bool
    # Layers of one depth are in the order of their names; otherwise as a walk from the outputs meets them
    # (keras-facts: order-by-names)
    sorts_layers: bool
    # They are in the order of their names after K.set_legacy_weight_ordering(True)
    may_sort_layers: bool
    # The depths of layers that are called several times are those of Keras 1 (keras-facts: depths-of-keras1)
    early_depths: bool
    # A file has no place for the architecture, which is written beside it
    architecture_beside: bool
    # Each way of merging has a layer class of its own; otherwise there is one class with a mode
    merge_layers: bool
    # A transposed convolution states its whole output shape; otherwise what to add to the smallest one
    # (keras-facts: deconvolution-output-shape)
    states_output_shape: bool
    # There are CuDNN layers, other than in files for a reader
    cudnn: bool
    # On TensorFlow, names of arrays end in ':0' (keras-facts: names-end-in-colon-zero)
    numbers_outputs: bool
    # The backends whose kernels its files can have
    backends: tuple[str, ...]
    # An optimizer's state has all arrays of one moment together; otherwise all moments of one parameter, and the
    # learning rate (keras-facts: optimizer-slots)
    moments_together: bool
    # An optimizer's state has all scalars of Keras 2.3, and slots that are not used (keras-facts: optimizers-of-keras1)
    whole_optimizers: bool
    # Files of every release are written for a package that has other classes and optimizers than Keras 2: what a
    # layer of Keras 2 needs for that is made from its architecture
    expresses: bool
    # Files of other generations can be converted to it
    is_target: bool
    # The reader and writer of its names in architectures
    words: Words
    # What reads its files, and therefore runs them in a verification, where that is installed: for the releases from
    # the first one of each row on. kconvert alone runs those of other releases
    readers: tuple[tuple[tuple[int, ...], Reader], ...] = ()

    @property
    def last_release(self) -> str:
        """Its last release: the one that is written, and the one that files without `keras_version` are taken for."""
        return self.releases.rpartition(" ")[2]

    def has(self, backend: str) -> bool:
        """Whether its files can have the kernels of a backend."""
        return backend in self.backends


KERAS1_NAMES = {
    "kernel": "W",
    "recurrent_kernel": "U",
    "bias": "b",
    "embeddings": "W",
    "moving_mean": "running_mean",
    "moving_variance": "running_std",
    "alpha": "alphas",
    "beta_softplus": "betas",
    "carry_kernel": "W_carry",
    "carry_bias": "b_carry",
}

_before_keras2 = partial(
    Generation,
    fused_gates=False,
    weight_names=KERAS1_NAMES,
    weight_orders={"Highway": ("kernel", "bias", "carry_kernel", "carry_bias")},
    scoped_names=False,
    states_backend=False,
    splits_names=False,
    merge_layers=False,
    states_output_shape=True,
    cudnn=False,
    numbers_outputs=True,
    backends=tuple(BACKENDS),
    moments_together=True,
    whole_optimizers=False,
    expresses=False,
    is_target=False,
)
_keras1 = partial(
    _before_keras2,
    words=KERAS1,
    numbered=False,
    told_by_release=True,
    sorts_layers=False,
    may_sort_layers=True,
    early_depths=True,
    architecture_beside=False,
)
_before_1_0_8 = partial(_keras1, sorts_layers=True, may_sort_layers=False)

_from_keras2 = partial(
    Generation,
    numbered=False,
    fused_gates=True,
    weight_names={},
    weight_orders={},
    scoped_names=True,
    states_backend=True,
    splits_names=True,
    sorts_layers=False,
    may_sort_layers=False,
    early_depths=False,
    architecture_beside=False,
    merge_layers=True,
    states_output_shape=False,
    whole_optimizers=True,
    is_target=True,
)

GENERATIONS: Mapping[str, Generation] = {
    generation.name: generation
    for generation in (
        _before_keras2(
            "keras0",
            "0.2 - 0.3.3",
            ("0",),
            numbered=True,
            told_by_release=False,
            sorts_layers=False,
            may_sort_layers=False,
            early_depths=False,
            architecture_beside=True,
            words=KERAS0,
        ),
        _before_1_0_8("keras1.0.5", "1.0.0 - 1.0.5", ("1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5")),
        _before_1_0_8("keras1.0.6", "1.0.6", ("1.0.6",)),
        _before_1_0_8("keras1.0.7", "1.0.7", ("1.0.7",)),
        _keras1("keras1.0", "1.0.8", ("1.0",)),
        _keras1("keras1.1", "1.1.0 - 1.1.2", ("1.1",)),
        _keras1("keras1", "1.2.0 - 1.2.2", ("1",), weight_orders={}),
        _from_keras2(
            "keras2",
            "2.0.0 - 2.3.1",
            ("2",),
            told_by_release=False,
            cudnn=True,
            numbers_outputs=True,
            backends=tuple(BACKENDS),
            moments_together=True,
            expresses=False,
            words=KERAS2,
            readers=((tf_keras_writing.FIRST_RELEASE, READER_TF_KERAS),),
        ),
        _from_keras2(
            "keras3",
            "3.0.0 - 3.15.1",
            ("3",),
            told_by_release=True,
            cudnn=False,
            numbers_outputs=False,
            backends=("tensorflow",),
            moments_together=False,
            expresses=True,
            words=KERAS3,
            readers=(((), READER_KERAS3),),
        ),
    )
}


@dataclass(frozen=True)
class TargetFormat:
    """What `format` may name: a generation, for the files of one of its releases."""

    generation: Generation
    # the release that shall read the result
    release: str
    # the backends whose kernels the result can have
    backends: tuple[str, ...]


FORMATS: Mapping[str, TargetFormat] = {
    **{name: TargetFormat(row, row.last_release, row.backends) for name, row in GENERATIONS.items()},
    "tf_keras": TargetFormat(GENERATIONS["keras2"], tf_keras_writing.RELEASE, READER_TF_KERAS.backends),
}
"""Formats by name. tf_keras writes the files of Keras 2 (keras-facts: form-by-release)."""


def of_release(version: str | None) -> Generation | None:
    """The generation of the files that state release `version`; None where no row knows it.

    >>> of_release("1.0.8").name, of_release("2.1.0").name, of_release("4.0")
    ('keras1.0', 'keras2', None)
    """
    by_version = {known: generation for generation in GENERATIONS.values() for known in generation.versions}
    numbers = (version or "").split(".")
    beginnings = (".".join(numbers[:n]) for n in (3, 2, 1))
    return next((by_version[beginning] for beginning in beginnings if beginning in by_version), None)


LATEST = list(GENERATIONS.values())[-1].last_release


def is_later(version: str | None) -> bool:
    """Whether release `version` is of a generation after those that are known.

    >>> is_later("3.99.0"), is_later("4.0.0"), is_later(None)
    (False, True, False)
    """
    return numbers_of(version)[:1] > release(LATEST)[:1]


def words_of(config: Any, keras_version: str | None = None) -> Words:
    """The words of an architecture: by the release that it or its file states, else by the words themselves."""
    if not KERAS0.recognizes(config) and isinstance(config, Mapping):
        version = keras_version or config.get("keras_version")
        generation = of_release(version) if isinstance(version, str) else None
        if generation:
            return generation.words
    return next(words for words in WORDS if words.recognizes(config))


def release(version: str | None) -> tuple[int, ...]:
    """The numbers of a release, () where none is known.

    >>> release("2.0.9"), release(None)
    ((2, 0, 9), ())
    """
    parts = (version or "").split(".")[:3]
    return tuple(map(int, parts)) if all(map(_is_number, parts)) else ()


def _is_number(part: str) -> bool:
    """Whether a part of a release is one of at most 9 digits; Python refuses to read thousands of them."""
    return part.isascii() and part.isdigit() and len(part) < 10


def keeps_data_formats(version: str | None) -> bool:
    """Whether layers written for a release must keep their data formats (keras-facts: bias-along-rows)."""
    return release(version) in ((0, 2, 0), (0, 3, 0))


FIRST_WITH_OPTIMIZER_IN_ORDER = (2, 0, 6)


def sorts_optimizer(version: str | None) -> bool:
    """Whether a release sorts the arrays of an optimizer by the names of the weights; otherwise they follow the layers.

    (keras-facts: optimizer-order)

    >>> sorts_optimizer("1.2.2"), sorts_optimizer("2.0.2"), sorts_optimizer("2.3.1"), sorts_optimizer("2.2.4-tf")
    (True, True, False, False)
    """
    return () < release(version) < FIRST_WITH_OPTIMIZER_IN_ORDER


OF_TENSORFLOW = "-tf"
"""How tf.keras ended its releases up to 2.3.0."""

FIRST_OF_TENSORFLOW_ALONE = (2, 4, 0)
"""From this release on Keras is tf.keras."""


def numbers_of(version: str | None) -> tuple[int, ...]:
    """The numbers of a release of Keras or tf.keras, () where none is known.

    >>> numbers_of("2.0.9"), numbers_of("2.2.4-tf"), numbers_of(None)
    ((2, 0, 9), (2, 2, 4), ())
    """
    return release((version or "").removesuffix(OF_TENSORFLOW))


def release_of_tensorflow(version: str | None) -> tuple[int, ...]:
    """The numbers of a release of tf.keras or of Keras 3; () for any other release, and where none is known.

    (keras-facts: releases-of-tf-keras)

    >>> release_of_tensorflow("2.2.4-tf"), release_of_tensorflow("2.15.0"), release_of_tensorflow("2.3.1")
    ((2, 2, 4), (2, 15, 0), ())
    """
    numbers = numbers_of(version)
    ours = str(version).endswith(OF_TENSORFLOW) or numbers >= FIRST_OF_TENSORFLOW_ALONE
    return numbers if ours else ()


@dataclass(frozen=True)
class Convention:
    """Who wrote a file: the generation of Keras, and the backend whose kernels its arrays are.

    The data format is no part of it: that is a setting of each layer.
    """

    # The name of a row of GENERATIONS: 'keras1'
    generation_name: str
    # The name of a row of BACKENDS: 'theano'
    backend: str

    def __post_init__(self) -> None:
        for value, known, what in ((self.generation_name, GENERATIONS, "format"), (self.backend, BACKENDS, "backend")):
            if value not in known:
                raise KconvertError(
                    f"unknown {what} {value!r}", fix=f"one of: {', '.join(known)}", problem=Problem.USAGE
                )

    @property
    def generation(self) -> Generation:
        """What the generation writes: its row."""
        return GENERATIONS[self.generation_name]

    @property
    def facts(self) -> BackendFacts:
        """What Keras computed on the backend: its row."""
        return BACKENDS[self.backend]

    def reader(self, release: str | None) -> Reader | None:
        """The current package that reads its files of a release; None: only kconvert does."""
        numbers = numbers_of(release)
        found = [] if self.facts.convolves else [row for first, row in self.generation.readers if numbers >= first]
        return found[-1] if found else None

    def array_name(self, name: str) -> str:
        """The name of an array as the backend writes it, from that of any backend.

        (keras-facts: names-end-in-colon-zero, repeated-names)

        >>> Convention("keras2", "theano").array_name("dense_1/kernel:0")
        'dense_1/kernel'
        """
        if ":0_" in name:  # a repeated name
            return name
        numbered = self.generation.numbers_outputs and not self.facts.convolves
        return name.removesuffix(":0") + (":0" if numbered else "")

    def __str__(self) -> str:
        return f"{self.generation_name}/{self.backend}"
