"""How a weight is stored and run: combines role and convention into chains of ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from ..kernels import Chain, Flip, Fuse, Shape, Transpose
from ..lazy_dataclasses import dataclass
from .backends import BACKENDS
from .generations import GENERATIONS, Convention
from .roles import Role, Weight

# ----------------------------------------------------------------- storage ----


@dataclass(frozen=True)
class Storage:
    """One weight in the files and on the backend of a convention."""

    weight: Weight
    # the names of its arrays
    slots: tuple[str, ...]
    # from the stored arrays to the canonical form
    chain: Chain
    # from the canonical form to the one that layers take on the backend
    to_run: Chain

    @property
    def from_run(self) -> Chain:
        """From the form that layers take on the backend to the canonical one."""
        return self.to_run.inverse

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Shapes of the stored arrays, slot by slot."""
        return self.chain.inverse.shapes((self.weight.shape,))


def slot_name(generation: str, weight: str) -> str:
    """What files of a generation call a weight, the letter of a gate aside.

    >>> slot_name("keras1", "recurrent_kernel")
    'U'
    """
    return GENERATIONS[generation].weight_names.get(weight, weight)


def storage(
    weights: Sequence[Weight],
    convention: Convention,
    data_format: str | None = None,
    fused: bool = False,
) -> list[Storage]:
    """How a layer with `weights` and `data_format` is stored in a file of `convention`.

    fused: the layer stores its gates as one array even where the generation has one array a gate
    (`consume_less='gpu'` in Keras 1).

    >>> from .backends import CHANNELS_FIRST
    >>> from .roles import conv_kernel
    >>> kernel = Weight("kernel", (3, 5, 4, 8), conv_kernel(2))
    >>> (kept,) = storage([kernel], Convention("keras1", "theano"), CHANNELS_FIRST)
    >>> kept.slots, kept.shapes, str(kept.chain)
    (('W',), ((8, 4, 3, 5),), 'transpose oihw->hwio >> flip hw of hwio')
    """
    generation = convention.generation
    fused = fused or generation.fused_gates
    result = []
    for weight in weights:
        role, name = weight.role, slot_name(generation.name, weight.name)
        chain, to_run = _chains(role, generation.name, convention.backend, data_format, fused)
        split = role.gates and not fused
        slots = tuple(f"{name}_{gate}" for gate in role.gates) if split else (name,)
        result.append(Storage(weight, slots, chain, to_run))
    return result


@lru_cache(1024)  # a model has many weights of few roles
def _chains(role: Role, generation: str, backend: str, data_format: str | None, fused: bool) -> tuple[Chain, Chain]:
    """The chains of a role: from the stored arrays to the canonical form, and from there to what layers take."""
    # a role without `reversed` gives an empty chain: nothing is flipped
    to_run = Chain((Flip(role.reversed, role.axes),) if BACKENDS[backend].convolves else ()).simplified
    chain = role.unpack >> Transpose(role.stored_axes(generation, data_format), role.axes) >> to_run.inverse
    if role.gates and not fused:
        chain = chain >> Fuse(role.gates)
    chain = chain >> role.values.get((generation, backend), Chain())
    return chain.simplified, to_run


def counterparts(weights: Sequence[Weight], convention: Convention) -> list[Weight]:
    """The same weights in a file of the layer's counterpart (CuDNNLSTM for LSTM, and the reverse); none without one."""
    roles = [weight.role.counterpart for weight in weights] if convention.generation.cudnn else [None]
    found = [replace(weight, role=role) for weight, role in zip(weights, roles, strict=False) if role]
    return found if len(found) == len(weights) else []


def slot_order(stored: Sequence[Storage]) -> list[str]:
    """The order in which the arrays of one layer stand in its file: gate by gate where not fused."""
    gates = max((s.weight.role.stored_gates for s in stored if len(s.slots) > 1), key=len, default="")
    if not gates:
        return [slot for s in stored for slot in s.slots]
    return [slot for gate in gates for s in stored for slot in s.slots if slot.endswith(f"_{gate}")]
