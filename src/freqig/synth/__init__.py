"""Problems with truth: series, labels, and where an explanation of who decides rightly must look.

Each function returns a labelled `xarray.Dataset`: ``signal`` (sample, channel, time), float32,
``label`` (sample), and the truth as boolean variables in the coordinates of the package's domains,
``truth_rfft`` over frequency, ``truth_waveform`` over time and so on, so that
``result.rfft.where(problem.truth_rfft)`` is what an explanation found. ``attrs`` have ``fs`` in Hz, the
``source``, the meaning of ``classes``, the ``seed`` and, as JSON, the ``parameters``. `oracle` is the
model that decides by the truth alone.

The same seed gives the same series on every platform, up to the last digits of sines and logarithms.
"""

from .cues import channel_cue, unused_cue
from .key_bins import freqrise
from .moving import amplitude_modulation, chirp
from .oracles import oracle
from .physical import bearing, pitch
from .rare import arma
from .regions import flextime
from .relations import phase_coded, product
from .spikes import freqshapes
from .states import hmm

__all__ = [
    "amplitude_modulation",
    "arma",
    "bearing",
    "channel_cue",
    "chirp",
    "flextime",
    "freqrise",
    "freqshapes",
    "hmm",
    "oracle",
    "phase_coded",
    "pitch",
    "product",
    "unused_cue",
]
