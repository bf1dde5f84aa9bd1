"""What a run tells of its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from .recordings import Recording


@dataclass(frozen=True)
class Report:
    """How a run ended.

    Parameters
    ----------
    done : tuple of str
        Recordings that were explained.
    skipped : tuple of str
        Those that had been, with the same settings, model and content.
    failed : dict of str to str
        Why others failed, in this run or before.
    not_converged : dict of str to int
        How many samples, or means, of which recordings are not known to `tol`.
    seconds : dict of str to float
        Wall time of each that was explained.
    taken_over : tuple of str
        Processes that ended while they held the store.
    recordings : tuple of Recording
        All that the run was asked for.

    Examples
    --------
    >>> Report(done=("night1",), failed={"night2": "must hold a recording, got an empty file"}).exit_code
    4
    """

    done: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    not_converged: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    taken_over: tuple[str, ...] = ()
    recordings: tuple[Recording, ...] = field(default=(), repr=False)

    @property
    def exit_code(self) -> int:
        """How the command line ends: 4 where recordings failed, 3 where some did not converge, else 0."""
        return 4 if self.failed else 3 if self.not_converged else 0
