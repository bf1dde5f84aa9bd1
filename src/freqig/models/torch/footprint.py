"""How much memory a computation takes while it runs, as the allocators of PyTorch count it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def peak_bytes(run: Callable[[], object], device: torch.device) -> int | None:
    """Most memory that a computation has at once beside what was there before.

    Parameters
    ----------
    run : callable
        The computation; what it returns is dropped.
    device : torch.device
        Where memory is counted.

    Returns
    -------
    int or None
        Bytes, with what kernels take for themselves; None where PyTorch does not tell, as while somebody
        else profiles this thread.

    Examples
    --------
    >>> peak_bytes(lambda: torch.ones(1000).sum(), torch.device("cpu")) >= 4000
    True
    """
    profiler: Any = torch.autograd
    # The profiler that keeps plain records: the newer one writes lines of its own to stderr.
    names = "ProfilerConfig", "ProfilerState", "_enable_profiler_legacy", "_disable_profiler_legacy"
    if not all(hasattr(profiler, name) for name in names) or profiler._profiler_enabled():
        return None
    settings = profiler.ProfilerConfig(
        profiler.ProfilerState.CPU, False, True, False, False, False, torch._C._profiler._ExperimentalConfig()
    )
    records: list[Any] = []
    try:
        profiler._enable_profiler_legacy(settings)
        run()
    finally:
        if profiler._profiler_enabled():
            # One list of records a thread.
            records = [record for thread in profiler._disable_profiler_legacy() for record in thread]
    start = records[0]
    records.sort(key=start.cpu_elapsed_us)
    now = most = 0
    for record in records:
        now += record.cuda_memory_usage() if device.type == "cuda" else record.cpu_memory_usage()
        most = max(most, now)
    return most
