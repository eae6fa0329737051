"""The classes of layers of tf.keras 2.15: which of them Keras 2.3 has too, and why the others are refused.

tf.keras 2.16 - 2.21 (the package tf_keras) has the same classes. (keras-facts: classes-of-tf-keras)
"""

from __future__ import annotations

from collections.abc import Mapping

from .items import OPERATIONS

SHARED: tuple[str, ...] = (
    *("Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling1D"),
    *("AveragePooling2D", "AveragePooling3D", "BatchNormalization", "Bidirectional", "Concatenate", "Conv1D"),
    *("Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM2D", "Cropping1D", "Cropping2D"),
    *("Cropping3D", "Dense", "DepthwiseConv2D", "Dot", "Dropout", "ELU", "Embedding", "Flatten", "GRU", "GRUCell"),
    *("GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
    *("GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "InputLayer"),
    *("LSTM", "LSTMCell", "Lambda", "LeakyReLU", "LocallyConnected1D", "LocallyConnected2D", "Masking"),
    *("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "Maximum", "Minimum", "Multiply", "PReLU", "Permute", "RNN"),
    *("ReLU", "RepeatVector", "Reshape", "SeparableConv1D", "SeparableConv2D", "SimpleRNN", "SimpleRNNCell"),
    *("Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "StackedRNNCells", "Subtract"),
    *("ThresholdedReLU", "TimeDistributed", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D"),
    *("ZeroPadding2D", "ZeroPadding3D"),
)
"""The classes that Keras 2.3 has too."""

_ATTENTION = "it computes attention"
_STATISTICS = "it normalizes by statistics of each sample or of its weights"
_CATEGORIES = "it turns numbers or strings into indices or counts of categories"
_AUGMENTATION = "it changes images at random in training"
_CONVOLUTION = "it computes a convolution that no backend operation of Keras 2.3 computes"
_RESIZING = "it computes images of another size"

BEYOND: Mapping[str, str] = {
    "AdditiveAttention": _ATTENTION,
    "Attention": _ATTENTION,
    "CategoryEncoding": _CATEGORIES,
    "CenterCrop": _RESIZING,
    "Conv1DTranspose": _CONVOLUTION,
    "ConvLSTM1D": _CONVOLUTION,
    "ConvLSTM3D": _CONVOLUTION,
    "DenseFeatures": "its inputs are feature columns of TensorFlow",
    "DepthwiseConv1D": _CONVOLUTION,
    "Discretization": _CATEGORIES,
    "EinsumDense": "it computes a product of tensors by an equation",
    "GroupNormalization": _STATISTICS,
    "HashedCrossing": _CATEGORIES,
    "Hashing": _CATEGORIES,
    "Identity": "it returns its input",
    "IntegerLookup": _CATEGORIES,
    "LayerNormalization": _STATISTICS,
    "MultiHeadAttention": _ATTENTION,
    "Normalization": _STATISTICS,
    "RandomBrightness": _AUGMENTATION,
    "RandomContrast": _AUGMENTATION,
    "RandomCrop": _AUGMENTATION,
    "RandomFlip": _AUGMENTATION,
    "RandomHeight": _AUGMENTATION,
    "RandomRotation": _AUGMENTATION,
    "RandomTranslation": _AUGMENTATION,
    "RandomWidth": _AUGMENTATION,
    "RandomZoom": _AUGMENTATION,
    "Rescaling": "it multiplies and shifts all values by two numbers",
    "Resizing": _RESIZING,
    "SpectralNormalization": _STATISTICS,
    "StringLookup": _CATEGORIES,
    "TextVectorization": _CATEGORIES,
    "UnitNormalization": _STATISTICS,
}
"""The classes that Keras 2.3 does not have, and what they do. A class of them that kconvert has is not refused."""

IN_TRAINING_ALONE = frozenset(name for name, why in BEYOND.items() if why == _AUGMENTATION) - {"RandomCrop"}
"""Those whose outputs are their inputs, except in training (keras-facts: classes-of-tf-keras)."""

_SPECTROGRAM = "it computes a spectrogram"

BEYOND_OF_KERAS3: Mapping[str, str] = {
    **dict.fromkeys(
        ("AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization", "MixUp")
        + ("RandAugment", "RandomColorDegeneration", "RandomColorJitter", "RandomElasticTransform", "RandomErasing")
        + ("RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective")
        + ("RandomPosterization", "RandomSaturation", "RandomSharpness", "RandomShear", "Solarization"),
        _AUGMENTATION,
    ),
    **{f"Adaptive{kind}Pooling{n}D": "it pools to a given size" for kind in ("Average", "Max") for n in (1, 2, 3)},
    "FlaxLayer": "it runs code of another library",
    "GroupQueryAttention": _ATTENTION,
    "GroupedQueryAttention": _ATTENTION,
    "JaxLayer": "it runs code of another library",
    "MaxNumBoundingBoxes": "its inputs are boxes in images",
    "MelSpectrogram": _SPECTROGRAM,
    "Pipeline": "it changes data before a model",
    "RMSNormalization": _STATISTICS,
    "ReversibleEmbedding": "it multiplies by a table of vectors, or looks them up",
    "STFTSpectrogram": _SPECTROGRAM,
    "TFSMLayer": "it runs a SavedModel",
    "TorchModuleWrapper": "it runs code of another library",
}
"""The further classes of Keras 3."""

BASES = ("AbstractRNNCell", "Layer", "Wrapper")
"""Base classes, and others that no layer of a model has."""


def of_tf_keras(class_name: str) -> str:
    """What the error for an unknown class adds if the class is one of tf.keras; '' for any other."""
    if class_name in OPERATIONS:
        return ", an operation of TensorFlow: it is of tf.keras, not of Keras 0.2 - 2.3"
    for package, beyond in (("tf.keras", BEYOND), ("Keras 3", BEYOND_OF_KERAS3)):
        if class_name in beyond:
            return f": it is of {package}, not of Keras 0.2 - 2.3; {beyond[class_name]}"
    return ""
