"""Gradients that are not those of F: no number of nodes makes attributions of them add up."""

from .watching import Foreign

__all__ = ["Foreign"]
