"""What Keras computed on each backend: facts as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..lazy_dataclasses import dataclass

CHANNELS_FIRST = "channels_first"
CHANNELS_LAST = "channels_last"
DATA_FORMATS = (CHANNELS_FIRST, CHANNELS_LAST)


# ---------------------------------------------------------------- backends ----


def _theano_conv_padding(size: int, kernel: int, stride: int) -> int:
    return kernel // 2


def _theano_pool_padding(size: int, window: int, stride: int) -> int:
    return window - 2 if window > 2 and window % 2 else window - 1


def _tensorflow_padding(size: int, kernel: int, stride: int) -> int:
    return max((-(-size // stride) - 1) * stride + kernel - size, 0) // 2


def _theano_batch_variance(variance: Any, n: Any, epsilon: float, image: bool) -> Any:
    return (variance + epsilon) * (n / (n - (1.0 + epsilon)))


def _tensorflow_batch_variance(variance: Any, n: Any, epsilon: float, image: bool) -> Any:
    fused = n / (n - 1.0) if image else 1.0
    return variance * (fused * n / (n - (1.0 + epsilon)))


@dataclass(frozen=True)
class BackendFacts:
    """What Keras computed on one backend (keras-facts: backend-facts)."""

    name: str
    # its name in sentences and tables
    title: str
    # the first release of Keras that ran on it, and the first one that had masks there (keras-facts: early-masks)
    first_release: tuple[int, ...]
    first_masks: tuple[int, ...]
    # kernels are applied reversed: true convolution
    convolves: bool
    # its usual data format
    data_format: str
    # padding before the first element for padding='same', from (size, kernel, stride) on one axis; the result
    # always has ceil(size / stride) elements
    conv_padding: Callable[[int, int, int], int]
    # the same for poolings
    pool_padding: Callable[[int, int, int], int]
    # separable convolutions with padding='same' and even kernels keep elements that they should crop
    surplus: bool
    # the variance of a batch that `K.normalize_batch_in_training` returns has epsilon added
    variance_has_epsilon: bool
    # it has padding='full'
    full: bool
    # it has transposed convolutions with padding='same' and even kernels
    even: bool
    # the only factors by which it enlarges images bilinearly; None: any
    bilinear: tuple[int, int] | None
    # it has CuDNNLSTM and CuDNNGRU
    cudnn: bool
    # what enters the moving variance of a BatchNormalization, from (variance of the batch, number of values, epsilon,
    # whether these are channels_last images): Keras 2.3.1 corrects it on both backends beyond a sample's variance
    batch_variance: Callable[[Any, Any, float, bool], Any]
    # the same for Keras 1.2, from (variance of the batch, epsilon): it corrects nothing
    batch_variance_of_keras1: Callable[[Any, float], Any]
    # crossentropies count from logits: those given, and those after a sigmoid or softmax that ends the model; else
    # they compute the probabilities and clip them (keras-facts: crossentropy-on-tensorflow)
    keeps_logits: bool
    # whether `epsilon` is added to the clipped probabilities within the logarithms of a binary crossentropy
    log_adds_epsilon: bool
    # a sparse crossentropy takes the logarithms of clipped predictions as logits; otherwise it divides predictions by
    # their sum, and then clips them
    sparse_of_logs: bool
    # `K.ctc_batch_cost` mixes this part of a uniform distribution into the probabilities, and adds up those of the
    # labels over the time steps; 0: it normalises the probabilities, and counts the labels once
    # (keras-facts: ctc-on-theano)
    ctc_smoothing: float
    # in `K.ctc_batch_cost` a label that is the blank ends the labels; otherwise it is one of them
    # (keras-facts: ctc-blank-ends)
    ctc_blank_ends: bool
    # the least sum of squares by which Keras 2 scales vectors to length 1; 0: `epsilon` (keras-facts: l2-normalize)
    least_square: float
    # the same for Keras 1.2, where 0 is no limit (keras-facts: l2-normalize-in-keras1)
    least_square_of_keras1: float
    # below `t_left`, an SReLU is at most `t_left + |t_right|`, which matters where `a_left` is negative
    # (keras-facts: bounded-srelu)
    bounds_srelu: bool
    # Keras infers the output shape of a Lambda that states none; otherwise it takes that of the input
    # (keras-facts: lambda-output-shape)
    infers_shapes: bool
    # `K.update` gives a tensor, whose value sets the variable; otherwise it gives a pair, which has no value
    # (keras-facts: backend-functions)
    updates_are_tensors: bool
    # `K.gradients` takes losses of any shape, gives None for what a loss does not depend on, and a list always;
    # otherwise it takes scalars, raises an error, and gives one tensor for one variable
    lenient_gradients: bool
    # `K.mean` of integers is rounded towards zero; otherwise it is a real number
    integer_means: bool
    # `K.dot` takes a vector as its second tensor
    dots_vectors: bool
    # sums and products of integers are of int64; otherwise of the type of the integers
    long_sums: bool
    # a `K.variable` that a layer of the user has as an attribute is trained; otherwise it is only saved
    # (keras-facts: variables-as-attributes)
    trains_variables: bool
    # the type of the sizes that `K.shape` gives
    type_of_sizes: str
    # `K.slice` takes a size of -1 for all that follows, and refuses parts beyond the end; otherwise it slices as
    # Python does
    slices_by_size: bool
    # the limit of the number that Keras draws from NumPy's global generator when it flattens a batch; 0: it draws none
    flatten_draws_below: int
    # `K.normalize_batch_in_training` gives the variance of a sample, divided by n - 1, for images, channels last
    fused_variance: bool


BACKENDS: Mapping[str, BackendFacts] = {
    facts.name: facts
    for facts in (
        BackendFacts(
            "theano",
            "Theano",
            first_release=(0, 1, 0),
            first_masks=(0, 1, 0),
            convolves=True,
            data_format=CHANNELS_FIRST,
            conv_padding=_theano_conv_padding,
            pool_padding=_theano_pool_padding,
            surplus=True,
            variance_has_epsilon=True,
            full=True,
            even=False,
            bilinear=(2, 2),
            cudnn=False,
            batch_variance=_theano_batch_variance,
            batch_variance_of_keras1=lambda variance, epsilon: variance + epsilon,
            keeps_logits=False,
            log_adds_epsilon=False,
            sparse_of_logs=False,
            ctc_smoothing=1e-4,
            ctc_blank_ends=False,
            least_square=0.0,
            least_square_of_keras1=0.0,
            bounds_srelu=True,
            infers_shapes=False,
            updates_are_tensors=False,
            lenient_gradients=False,
            integer_means=False,
            dots_vectors=True,
            long_sums=True,
            trains_variables=False,
            type_of_sizes="int64",
            slices_by_size=False,
            flatten_draws_below=0,
            fused_variance=False,
        ),
        BackendFacts(
            "tensorflow",
            "TensorFlow",
            first_release=(0, 3, 0),
            first_masks=(0, 3, 2),
            convolves=False,
            data_format=CHANNELS_LAST,
            conv_padding=_tensorflow_padding,
            pool_padding=_tensorflow_padding,
            surplus=False,
            variance_has_epsilon=False,
            full=False,
            even=True,
            bilinear=None,
            cudnn=True,
            batch_variance=_tensorflow_batch_variance,
            batch_variance_of_keras1=lambda variance, epsilon: variance,
            keeps_logits=True,
            log_adds_epsilon=True,
            sparse_of_logs=True,
            ctc_smoothing=0.0,
            ctc_blank_ends=True,
            least_square=1e-12,
            least_square_of_keras1=1e-12,
            bounds_srelu=False,
            infers_shapes=True,
            updates_are_tensors=True,
            lenient_gradients=True,
            integer_means=True,
            dots_vectors=False,
            long_sums=False,
            trains_variables=True,
            type_of_sizes="int32",
            slices_by_size=True,
            flatten_draws_below=10_000,
            fused_variance=True,
        ),
    )
}

# The backend whose kernels a file has, by the backend that saved it (keras-facts: backends-that-correlate)
KERNELS_OF: Mapping[str, str] = {
    **{name: name for name in BACKENDS},
    **dict.fromkeys(("cntk", "jax", "torch"), "tensorflow"),
}


def same_padding(before: int, size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding (before, after) that gives ceil(size / stride) elements; after < 0 crops."""
    return before, (-(-size // stride) - 1) * stride + kernel - size - before
