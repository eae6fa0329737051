"""How a weight is stored: role and convention put together as a chain of ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..kernels import Chain, Flip, Fuse, Shape, Transpose
from .generations import GENERATIONS, Convention
from .roles import Weight

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
    return GENERATIONS[form].weight_names.get(weight, weight)


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

    >>> from .backends import CHANNELS_FIRST
    >>> from .roles import conv_kernel
    >>> kernel = Weight("kernel", (3, 5, 4, 8), conv_kernel(2))
    >>> (kept,) = storage([kernel], Convention("keras1", "theano"), CHANNELS_FIRST)
    >>> kept.slots, kept.shapes, str(kept.chain)
    (('W',), ((8, 4, 3, 5),), 'transpose oihw->hwio >> flip hw of hwio')
    """
    form = convention.generation
    result = []
    for weight in weights:
        role = weight.role
        packed = role.otherwise if otherwise else role.packed
        if packed is None or (otherwise and not form.cudnn):
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
