"""The weight-layout algebra: pure, invertible ops on arrays (NumPy only)."""

from .axes import Flip, Grow, Transpose
from .base import Chain, EachOp, GateOp, Op, Shape
from .cudnn import AddHalves, Fold, Halve, Order, Unfold
from .gates import Fuse, Gates, Split
from .rows import Block, Rows, plain
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
    "Rows",
    "Scale",
    "Shape",
    "Shift",
    "Split",
    "Transpose",
    "Unfold",
    "ValueOp",
    "Variance",
    "plain",
]
