"""Out again: results as tables, as objects of MNE and of shap, as sound, and as a paragraph."""

from .frames import peaks, to_dataframe

__all__ = ["peaks", "to_dataframe"]
