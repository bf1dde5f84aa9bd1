"""Out again: results as tables, as objects of MNE and of shap, as sound, and as a paragraph.

Each library is imported in the one module that needs it, when it is asked for.
"""

from .frames import peaks, to_dataframe
from .mne_objects import to_mne
from .paper import methods_text
from .shap_values import to_shap
from .sound import to_wav

__all__ = ["methods_text", "peaks", "to_dataframe", "to_mne", "to_shap", "to_wav"]
