"""The order of the tutorials: first what everybody needs, then fields, kinds of models, and papers."""

from __future__ import annotations

from pathlib import Path

ORDER = (
    "first_explanation",
    "eeg_to_report",
    "audio",
    "bearing",
    "seismogram",
    "ecg",
    "recurrent",
    "forecasting",
    "keras_onnx_jax",
    "not_converging",
    "averages_and_intervals",
    "cohort_on_slurm",
)


class TutorialOrder:
    """A key that sphinx-gallery sorts files by; files that are not named come last, by name."""

    def __init__(self, _folder: str) -> None:
        pass

    def __call__(self, filename: str) -> tuple[int, str]:
        """Place of one file."""
        name = Path(filename).stem
        return ORDER.index(name) if name in ORDER else len(ORDER), name
