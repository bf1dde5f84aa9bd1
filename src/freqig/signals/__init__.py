"""Signals of many kinds, read into tensors with what they say of themselves.

Arrays, tensors, tables of pandas, DataArrays of xarray and recordings of MNE become a `Signal`; whatever
is held against it, such as a baseline, is read likewise and put in its order, rate and unit.
"""

from .alignment import aligned, aligned_rows, in_one_order, in_order_of
from .arrays import as_tensor
from .channels import in_channel_order, of_channels
from .dataarrays import batch_of
from .rates import settled
from .reading import labelled, placed, read_signal
from .refused import is_pair_with_rate
from .signal import Signal
from .units import hint_at_unit, in_unit

__all__ = [
    "Signal",
    "aligned",
    "aligned_rows",
    "as_tensor",
    "batch_of",
    "hint_at_unit",
    "in_channel_order",
    "in_one_order",
    "in_order_of",
    "in_unit",
    "is_pair_with_rate",
    "labelled",
    "of_channels",
    "placed",
    "read_signal",
    "settled",
]
