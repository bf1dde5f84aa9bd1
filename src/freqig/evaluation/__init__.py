"""How good an explanation is: what the model does without what it names, and whether that is the truth."""

from .evaluating import evaluate

__all__ = ["evaluate"]
