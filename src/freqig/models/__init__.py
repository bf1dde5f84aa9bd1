"""Model adapters, one framework per file; a framework is imported only in its own."""

from __future__ import annotations

from .adapters import as_model
from .base import Model
from .foreign import ForeignModel
from .hints import Hints
from .torch.model import TorchModel

__all__ = ["ForeignModel", "Hints", "Model", "TorchModel", "as_model"]
