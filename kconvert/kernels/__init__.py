"""Invertible ops on stored arrays, each with its inverse and its JSON form (not the kernels of layers).

`Op` and `Chain` are in `base.py`; the concrete ops are grouped by what they change: named axes (`axes.py`), gates
(`gates.py`), flattened features (`rows.py`), values (`values.py`), cuDNN's packing (`cudnn.py`). Only NumPy is used.
"""

from .axes import Flip, Grow, Transpose
from .base import Chain, EachOp, GateOp, Op, Region, Shape
from .cudnn import AddHalves, Fold, Halve, Order, Unfold
from .gates import Fuse, Gates, Split
from .rows import Block, Rows, unchanged_block
from .values import Deviation, Power, Scale, Shift, ValueOp, Variance

__all__ = [
    "AddHalves",
    "Block",
    "Chain",
    "Deviation",
    "EachOp",
    "Flip",
    "Fold",
    "Fuse",
    "GateOp",
    "Gates",
    "Grow",
    "Halve",
    "Op",
    "Order",
    "Power",
    "Region",
    "Rows",
    "Scale",
    "Shape",
    "Shift",
    "Split",
    "Transpose",
    "Unfold",
    "ValueOp",
    "Variance",
    "unchanged_block",
]
