"""Where each module of Keras 1.2.2 finds its names in kconvert."""

from __future__ import annotations

from ..keras import names
from ..keras.surface import Dialect

_HOMES: dict[str, str] = {
    "activations": "keras1.own.activations",
    "applications": "keras1.own.applications.vgg keras1.own.applications.resnet50 "
    "keras1.own.applications.inception_v3 keras1.own.applications.xception",
    "applications.audio_conv_utils": "keras1.own.applications.music_tagger_crnn",
    "applications.imagenet_utils": "keras1.own.applications.imagenet",
    "applications.inception_v3": "keras1.own.applications.inception_v3",
    "applications.music_tagger_crnn": "keras1.own.applications.music_tagger_crnn",
    "applications.resnet50": "keras1.own.applications.resnet50",
    "applications.vgg16": "keras1.own.applications.vgg",
    "applications.vgg19": "keras1.own.applications.vgg",
    "applications.xception": "keras1.own.applications.xception",
    "backend": "keras1.own.backend",
    "callbacks": "keras1.own.callbacks",
    "constraints": "keras1.own.constraints keras1.own.components keras1.own.generic",
    "datasets.cifar": "keras.own.datasets.cifar10",
    "datasets.cifar10": "keras.own.datasets.cifar10 keras1.own.data_utils",
    "datasets.cifar100": "keras.own.datasets.cifar100 keras1.own.data_utils",
    "datasets.imdb": "keras1.own.datasets.imdb keras1.own.data_utils",
    "datasets.mnist": "keras1.own.datasets.mnist keras1.own.data_utils",
    "datasets.reuters": "keras1.own.datasets.reuters keras1.own.data_utils",
    "engine": "keras1.own.layers keras1.own.models keras.own.networks layers.input_spec",
    "engine.topology": "keras1.own.layers keras1.own.models keras.own.networks layers.input_spec keras.own.generic "
    "keras1.own.generic keras.own.utils",
    "engine.training": "keras1.own.data_utils keras1.own.layers keras1.own.models keras1.own.training "
    "keras.own.training_data keras.own.training_utils keras1.own.container keras1.own.enqueuer",
    "initializations": "keras1.own.initializations",
    "layers": "keras1.own.layers keras1.own.np_utils layers.input_spec keras1.own.generic keras.own.generic",
    "metrics": "keras1.own.metrics",
    "models": "keras1.own.models keras1.own.loading keras.own.networks keras1.own.generic keras.own.utils",
    "objectives": "keras1.own.objectives",
    "optimizers": "keras1.own.optimizers",
    "regularizers": "keras1.own.regularizers keras1.own.components keras1.own.generic",
    "preprocessing.image": "keras1.own.preprocessing.image keras1.own.preprocessing.transforms",
    "preprocessing.sequence": "keras1.own.preprocessing.sequence",
    "preprocessing.text": "keras1.own.preprocessing.text",
    "utils.data_utils": "keras1.own.data_utils",
    "utils.generic_utils": "keras1.own.generic keras1.own.progress keras.own.objects keras.own.generic",
    "utils.io_utils": "formats.hdf5.matrix formats.hdf5.array_files keras.own.utils",
    "utils.layer_utils": "keras1.own.layer_utils keras1.own.loading",
    "utils.np_utils": "keras1.own.np_utils",
    "utils.test_utils": "keras1.own.testing",
    "utils.visualize_util": "keras1.own.visualize_util",
    "wrappers.scikit_learn": "keras1.own.scikit_learn",
}

_ABSENT = frozenset(
    {"callbacks.callbacks"} | {"engine.base_layer", "engine.input_layer", "engine.network", "engine.sequential"}
) | {
    "layers.cudnn_recurrent",
    "layers.merge",
}

_PASSED_ON = ("activations", "constraints", "initializations", "objectives", "optimizers", "regularizers")
_FUNCTIONS = "func_dump func_load get_from_module"
_PRIVATE = {
    **dict.fromkeys(
        ("activations", "constraints", "initializations", "metrics", "objectives", "optimizers", "regularizers"),
        "get_from_module",
    ),
    **dict.fromkeys(
        ("datasets.cifar10", "datasets.cifar100", "datasets.imdb", "datasets.mnist", "datasets.reuters"), "get_file"
    ),
    "engine.topology": f"ask_to_proceed_with_overwrite {_FUNCTIONS}",
    "engine.training": "Container GeneratorEnqueuer Progbar",
    "layers": _FUNCTIONS,
    "layers.core": _FUNCTIONS,
    "models": "ask_to_proceed_with_overwrite get_from_module",
    "backend": "_BACKEND",
    "backend.common": "_EPSILON _FLOATX",
    "backend.tensorflow_backend": "_EPSILON",
    "backend.theano_backend": "_EPSILON _FLOATX",
}

KERAS1 = Dialect(
    "kconvert.keras1",
    "1.2.2",
    names.KERAS1,
    _HOMES,
    _ABSENT,
    passed_on={"K": "backend", **{name: name for name in _PASSED_ON}},
    private=_PRIVATE,
)
"""What `kconvert.keras1` has beside the classes and functions of kconvert."""
