"""Methods of others, for comparison: made and called as `freqig.Explainer`, with results like its own."""

from ..coalitions import Shapley
from .dft_lrp import DFTLRP
from .dynamask import DynaMask
from .expected_gradients import ExpectedGradients
from .extremal_mask import ExtremalMask
from .flextime import FLEXtime
from .freqrise import FreqRISE
from .gradient_times_input import GradientTimesInput
from .insertion_deletion import InsertionDeletion
from .learned_mask import LearnedMask
from .occlusion import Occlusion
from .smoothgrad import SmoothGrad
from .spectral_gradients import SpectralGradients

__all__ = [
    "DFTLRP",
    "DynaMask",
    "ExpectedGradients",
    "ExtremalMask",
    "FLEXtime",
    "FreqRISE",
    "GradientTimesInput",
    "InsertionDeletion",
    "LearnedMask",
    "Occlusion",
    "Shapley",
    "SmoothGrad",
    "SpectralGradients",
]
