"""Thousands of recordings: explained by workers, kept in one Zarr store, taken up again where a run ended."""

from __future__ import annotations

from .across import means
from .job import JobError, Loader
from .lock import InUseError
from .opening import open_cohort
from .recordings import Recording
from .report import Report
from .running import run

__all__ = ["InUseError", "JobError", "Loader", "Recording", "Report", "means", "open_cohort", "run"]
