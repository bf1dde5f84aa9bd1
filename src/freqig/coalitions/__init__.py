"""Explanations without gradients: players in tight frames, and Shapley values of their coalitions."""

from .shapley import Shapley

__all__ = ["Shapley"]
