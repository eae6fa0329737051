"""How each backend and each file format writes weights down: facts as tables.

A layer says what each of its weights *is* (`Weight` with a `Role`); a `Convention` says who wrote the
file; `storage` puts the two together: which stored arrays make up the weight, and the chain of ops
from the stored form to the canonical one. Canonical is Keras 2 on TensorFlow: correlation kernels,
axes (spatial..., in, out), fused gates `ifco` / `zrh`, features flattened in channels_last order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import KconvertError, Problem
from .kernels import Chain, Flip, Fold, Fuse, Order, Power, Scale, Shape, Split, Transpose, Variance

CHANNELS_FIRST = "channels_first"
CHANNELS_LAST = "channels_last"
DATA_FORMATS = (CHANNELS_FIRST, CHANNELS_LAST)

SPATIAL = {1: "w", 2: "hw", 3: "dhw"}
LSTM_GATES = "ifco"
GRU_GATES = "zrh"


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
    """What Keras computed on one backend (rulebook A1, A2; flip table, "padding of 'same'").

    convolves: kernels are applied reversed (true convolution). conv_padding, pool_padding: rows of
    padding before the first element for padding='same', from (size, kernel, stride) on one axis;
    the result always has ceil(size / stride) elements. full: it has padding='full'. even: it has transposed
    convolutions with padding='same' and even kernels. bilinear: the only factors by which it enlarges images
    bilinearly; None: any. cudnn: it has CuDNNLSTM and CuDNNGRU. batch_variance: what enters the moving variance of
    a BatchNormalization, from (variance of the batch, number of values, epsilon, whether these are channels_last
    images): in Keras 2.3.1 both have corrections of their own on top of that of a sample's variance.
    """

    name: str
    convolves: bool
    data_format: str
    conv_padding: Callable[[int, int, int], int]
    pool_padding: Callable[[int, int, int], int]
    full: bool
    even: bool
    bilinear: tuple[int, int] | None
    cudnn: bool
    batch_variance: Callable[[Any, Any, float, bool], Any]


BACKENDS: Mapping[str, BackendFacts] = {
    facts.name: facts
    for facts in (
        BackendFacts(
            "theano",
            convolves=True,
            data_format=CHANNELS_FIRST,
            conv_padding=_theano_conv_padding,
            pool_padding=_theano_pool_padding,
            full=True,
            even=False,
            bilinear=(2, 2),
            cudnn=False,
            batch_variance=_theano_batch_variance,
        ),
        BackendFacts(
            "tensorflow",
            convolves=False,
            data_format=CHANNELS_LAST,
            conv_padding=_tensorflow_padding,
            pool_padding=_tensorflow_padding,
            full=False,
            even=True,
            bilinear=None,
            cudnn=True,
            batch_variance=_tensorflow_batch_variance,
        ),
    )
}


def same_padding(before: int, size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding (before, after) that gives ceil(size / stride) elements; after < 0 crops."""
    return before, (-(-size // stride) - 1) * stride + kernel - size - before


# ----------------------------------------------------------------- formats ----


@dataclass(frozen=True)
class Format:
    """How one generation of Keras names and stores arrays in HDF5.

    fused_gates: recurrent layers store one array for all gates. names: the stored name of each
    weight where it is not the Keras 2 one; None: the file has no names at all.
    """

    name: str
    releases: str
    fused_gates: bool
    names: Mapping[str, str] | None = field(hash=False)


_KERAS1_NAMES = {
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

FORMATS: Mapping[str, Format] = {
    form.name: form
    for form in (
        Format("keras0", "0.2 - 0.3.3", False, None),
        Format("keras1.0.5", "1.0.0 - 1.0.5", False, _KERAS1_NAMES),
        Format("keras1.0.6", "1.0.6", False, _KERAS1_NAMES),
        Format("keras1.0.7", "1.0.7", False, _KERAS1_NAMES),
        Format("keras1.0", "1.0.8", False, _KERAS1_NAMES),
        Format("keras1.1", "1.1.0 - 1.1.2", False, _KERAS1_NAMES),
        Format("keras1", "1.2.0 - 1.2.2", False, _KERAS1_NAMES),
        Format("keras2", "2.0.0 - 2.3.1", True, {}),
    )
}


def release(version: str | None) -> tuple[int, ...]:
    """The numbers of a release, () where none is known.

    >>> release("2.0.9"), release(None)
    ((2, 0, 9), ())
    """
    parts = (version or "").split(".")[:3]
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else ()


@dataclass(frozen=True)
class Convention:
    """Who wrote a file: the format of its arrays and the backend whose kernels they are."""

    format: str
    backend: str

    def __post_init__(self) -> None:
        for value, known, what in ((self.format, FORMATS, "format"), (self.backend, BACKENDS, "backend")):
            if value not in known:
                raise KconvertError(
                    f"unknown {what} {value!r}", fix=f"one of: {', '.join(known)}", problem=Problem.USAGE
                )

    @property
    def facts(self) -> BackendFacts:
        return BACKENDS[self.backend]

    def __str__(self) -> str:
        return f"{self.format}/{self.backend}"


# ------------------------------------------------------------------- roles ----


@dataclass(frozen=True)
class Role:
    """What a weight is: canonical axis names, and where formats and backends differ.

    reversed: the spatial axes that a convolving backend reverses. stored: axis names by format and
    data format, where they are not the canonical ones. gates, stored_gates: the letters of the gates
    along the last axis, canonical and in the order of separately stored arrays. values: by format and
    backend, what makes the canonical values of the stored ones where those are another quantity. packed: what
    makes the weight of one that cuDNN packed, where the layer keeps it so. otherwise: the same for a file of the
    layer's counterpart, which is with cuDNN where the layer is without; None where it has none.
    """

    name: str
    axes: str
    reversed: str = ""
    stored: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    gates: str = ""
    stored_gates: str = ""
    values: Mapping[tuple[str, str], Chain] = field(default_factory=dict, hash=False)
    packed: Chain = field(default_factory=Chain)
    otherwise: Chain | None = None

    def stored_axes(self, form: str, data_format: str | None) -> str:
        by_data_format = self.stored.get(form, {})
        return by_data_format.get(data_format or CHANNELS_LAST, self.axes)

    def gated(self, gates: str, stored_gates: str) -> Role:
        """The same weight for every gate of a recurrent layer, along the last axis."""
        return replace(self, gates=gates, stored_gates=stored_gates)

    def cudnn(self, rows: Chain, packed: bool) -> Role:
        """The same weight where cuDNN has it too: a gate's matrix (out, in), both rows of a bias in one (rulebook A5).

        rows: what makes the bias of two rows. packed: whether the layer itself is one of cuDNN.
        """
        matrix = self.axes == "io"
        unpacked = Split(self.gates) >> Order("oi", "io", "io") >> Fuse(self.gates) if matrix else Chain((Fold(2),))
        rows = Chain() if matrix else rows
        if packed:
            return replace(self, packed=unpacked, otherwise=rows.inverse)
        return replace(self, otherwise=unpacked >> rows)


def _same_in(forms: str, first: str, last: str) -> dict[str, dict[str, str]]:
    return {form: {CHANNELS_FIRST: first, CHANNELS_LAST: last} for form in forms.split()}


_UP_TO_1_0 = "keras0 keras1.0.5 keras1.0.6 keras1.0.7 keras1.0"
_FROM_1_1 = "keras1.1 keras1"
_OLD = f"{_UP_TO_1_0} {_FROM_1_1}"


def conv_kernel(rank: int) -> Role:
    """Kernel of Conv1D/2D/3D: reversed on Theano (rulebook A2, A5)."""
    space = SPATIAL[rank]
    stored = _same_in(_OLD, "oi" + space, space + "io")
    if rank == 1:
        stored = {**_same_in(_UP_TO_1_0, "oiw1", "oiw1"), **_same_in(_FROM_1_1, "w1io", "w1io")}
    return Role("conv_kernel", space + "io", space, stored)


def transposed_conv_kernel(rank: int) -> Role:
    """Kernel of Conv2DTranspose/Conv3DTranspose, (spatial..., out, in): reversed on Theano."""
    space = SPATIAL[rank]
    return Role("transposed_conv_kernel", space + "oi", space, _same_in(_OLD, "oi" + space, space + "io"))


def depthwise_kernel(rank: int) -> Role:
    """Kernel (spatial..., in, multiplier): Keras on Theano reverses it before convolving, so it is stored alike."""
    space = SPATIAL[rank]
    return Role("depthwise_kernel", space + "im", "", _same_in(_OLD, "mi" + space, space + "im"))


def pointwise_kernel(rank: int) -> Role:
    """The 1x1 kernel of a separable convolution: nothing to reverse."""
    space = SPATIAL[rank]
    return Role("pointwise_kernel", space + "io", "", _same_in(_OLD, "oi" + space, space + "io"))


DENSE_KERNEL = Role("dense_kernel", "io")
VECTOR = Role("vector", "o")
MAXOUT_KERNEL = Role("maxout_kernel", "fio")
MAXOUT_BIAS = Role("maxout_bias", "fo")
LOCAL_KERNEL = Role("local_kernel", "pko")


def embeddings(dropout: float = 0.0) -> Role:
    """A table of vectors; Keras 0.2 and 0.3 scale it by 1 - dropout whenever they do not train."""
    kept = Chain((Scale(1.0 - dropout),)).simplified
    return Role("embeddings", "vo", values={("keras0", backend): kept for backend in BACKENDS})


def variance(epsilon: float) -> Role:
    """The moving variance that is divided by as sqrt(variance + epsilon).

    Up to Keras 1.0.6 a standard deviation is stored in its place, divided by as deviation + epsilon (1.0.6:
    on Theano alone), and Keras 1.0.7 on Theano divides by sqrt(variance) + epsilon (rulebook A7).
    """
    deviation = Chain((Variance(epsilon),))
    values = {(form, backend): deviation for form in ("keras0", "keras1.0.5") for backend in BACKENDS}
    values["keras1.0.6", "theano"] = deviation
    values["keras1.0.7", "theano"] = Power(2, root=True) >> deviation
    return Role("variance", "o", values=values)


def local_bias(rank: int) -> Role:
    """Bias of a locally connected layer, (spatial..., out): reshaped where channels_first (rulebook A6)."""
    return Role("local_bias", SPATIAL[rank] + "o")


def map_parameter(rank: int) -> Role:
    """A parameter as large as the feature map (PReLU): axes in the order of the map."""
    return Role("map_parameter", "abcdefg"[:rank])


@dataclass(frozen=True)
class Weight:
    """One weight of a layer: its Keras 2 name, its canonical shape, and what it is."""

    name: str
    shape: Shape
    role: Role = VECTOR
    trainable: bool = True
    initializer: Any = field(default="zeros", hash=False)


# ----------------------------------------------------------------- storage ----


@dataclass(frozen=True)
class Storage:
    """How one weight is stored: the names of its arrays, and the chain from them to canonical form."""

    weight: Weight
    slots: tuple[str, ...]
    chain: Chain

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Shapes of the stored arrays, slot by slot."""
        return self.chain.inverse.shapes((self.weight.shape,))


def slot_name(form: str, weight: str) -> str:
    """What files of a format call a weight, the letter of a gate aside.

    >>> slot_name("keras1", "recurrent_kernel")
    'U'
    """
    facts = FORMATS[form]
    return (facts.names or _KERAS1_NAMES if not facts.fused_gates else {}).get(weight, weight)


def storage(
    weights: Sequence[Weight],
    convention: Convention,
    data_format: str | None = None,
    fused: bool = False,
    otherwise: bool = False,
) -> list[Storage]:
    """How a layer with `weights` and `data_format` is stored in a file of `convention`.

    fused: the layer stores its gates as one array even where the format has one array a gate
    (`consume_less='gpu'` in Keras 1). otherwise: by the layer's counterpart; nothing where it has none.

    >>> kernel = Weight("kernel", (3, 5, 4, 8), conv_kernel(2))
    >>> (kept,) = storage([kernel], Convention("keras1", "theano"), CHANNELS_FIRST)
    >>> kept.slots, kept.shapes, str(kept.chain)
    (('W',), ((8, 4, 3, 5),), 'transpose oihw->hwio >> flip hw of hwio')
    """
    form = FORMATS[convention.format]
    result = []
    for weight in weights:
        role = weight.role
        packed = role.otherwise if otherwise else role.packed
        if packed is None or (otherwise and not form.fused_gates):
            return []
        name = slot_name(form.name, weight.name)
        chain = packed >> Transpose(role.stored_axes(form.name, data_format), role.axes)
        if convention.facts.convolves:
            chain = chain >> Flip(role.reversed, role.axes)
        slots: tuple[str, ...] = (name,)
        if role.gates and not (form.fused_gates or fused):
            slots = tuple(f"{name}_{gate}" for gate in role.gates)
            chain = chain >> Fuse(role.gates)
        chain = chain >> role.values.get((form.name, convention.backend), Chain())
        result.append(Storage(weight, slots, chain.simplified))
    return result


def slot_order(stored: Sequence[Storage]) -> list[str]:
    """The order in which the arrays of one layer stand in its file: gate by gate where not fused."""
    gates = max((s.weight.role.stored_gates for s in stored if len(s.slots) > 1), key=len, default="")
    if not gates:
        return [slot for s in stored for slot in s.slots]
    return [slot for gate in gates for s in stored for slot in s.slots if slot.endswith(f"_{gate}")]
