"""Methods of others, for comparison: made and called as `freqig.Explainer`, with results like its own."""

from ..coalitions import Shapley
from .freqrise import FreqRISE
from .gradient_times_input import GradientTimesInput
from .occlusion import Occlusion

__all__ = ["FreqRISE", "GradientTimesInput", "Occlusion", "Shapley"]
