"""One contender in a process of its own: reads commands as lines of JSON, answers with lines of JSON.

Started by `peers.py` as `python contenders.py CONTENDER CASE N_TIME PEERS THREADS DEVICE`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import peak_bytes
from networks import Case, saturated_lstm, trained_cases
from networks import cases as random_cases
from torch import Tensor, nn

TARGET = 1
Explain = Callable[[Tensor, int], np.ndarray]

LABELS = {
    "fixed": "freqig, n_steps given",
    "adaptive": "freqig, tol=0.01",
    "freqIG": "freqIG 0.1.8",
    "native": "cross-domain-saliency-maps 0.0.8, native",
    "cross-captum": "cross-domain-saliency-maps 0.0.8, Captum",
    "captum": "Captum 0.9 over iRFFT, a series at a time",
    "captum-batch": "Captum 0.9 over iRFFT, one batch",
}
BATCHED = ("fixed", "adaptive", "captum-batch")
OURS = ("fixed", "adaptive")

NOTES: dict[str, Any] = {}
"""What the last explanation says of itself beyond scores."""


def contender(name: str, model: nn.Module) -> Explain:
    """From series (N, n) and a number of nodes to scores (N, n // 2 + 1), as users of each call it."""
    build: dict[str, Callable[[nn.Module], Explain]] = {
        "fixed": _fixed,
        "adaptive": _adaptive,
        "freqIG": _freqig_018,
        "native": _native,
        "cross-captum": _cross_captum,
        "captum": _captum,
        "captum-batch": lambda model: _captum(model, batched=True),
    }
    return build[name](model)


def _fixed(model: nn.Module) -> Explain:
    import freqig

    def explain(x: Tensor, n: int) -> np.ndarray:
        return freqig.Explainer(model, n_steps=n)(x, target=TARGET).rfft.values

    return explain


def _adaptive(model: nn.Module) -> Explain:
    import freqig

    def explain(x: Tensor, _: int) -> np.ndarray:
        result = freqig.Explainer(model, tol=0.01)(x, target=TARGET)
        NOTES["evaluations"] = result.n_evaluations.values.tolist()
        NOTES["converged"] = result.converged.values.tolist()
        return result.rfft.values

    return explain


def device_of(model: nn.Module) -> torch.device:
    """Where the model is, and so its peers are told to be."""
    return next(model.parameters()).device


def _one_by_one(explain: Callable[[Tensor], np.ndarray], x: Tensor) -> np.ndarray:
    return np.stack([explain(x[i : i + 1]).ravel() for i in range(len(x))])


def _freqig_018(model: nn.Module) -> Explain:
    from scripts.freqIG import attribute

    def explain(x: Tensor, n: int) -> np.ndarray:
        return _one_by_one(lambda series: attribute(series[0], model, target=TARGET, n_steps=n), x)

    return explain


def _both_halves(two_sided: Tensor) -> np.ndarray:
    """Scores of a two-sided spectrum as those of the one-sided one."""
    values = two_sided.detach().cpu().numpy()
    n = values.shape[-1]
    folded = values[..., : n // 2 + 1].copy()
    folded[..., 1 : (n + 1) // 2] += values[..., : n // 2 : -1]
    return folded


def _native(model: nn.Module) -> Explain:
    from cross_domain_saliency_maps.torch_ig.cross_domain_integrated_gradients import FourierIG

    def explain(x: Tensor, n: int) -> np.ndarray:
        method = FourierIG(model, n, TARGET, device_of(model))

        def one(series: Tensor) -> np.ndarray:
            found = method.run(series.numpy(), np.zeros_like(series.numpy()))
            return _both_halves(found)

        return _one_by_one(one, x)

    return explain


def _cross_captum(model: nn.Module) -> Explain:
    from cross_domain_saliency_maps.torch_ig.captum_integrated_gradients import CaptumFourierIG

    def explain(x: Tensor, n: int) -> np.ndarray:
        method = CaptumFourierIG(model, n, TARGET, device_of(model))

        def one(series: Tensor) -> np.ndarray:
            return _both_halves(method.run(series.numpy(), np.zeros_like(series.numpy())))

        return _one_by_one(one, x)

    return explain


class AfterInverse(nn.Module):
    """The model behind an inverse real FFT of real and imaginary parts."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, parts: Tensor) -> Tensor:
        return self.model(torch.fft.irfft(torch.view_as_complex(parts.contiguous())))


def _captum(model: nn.Module, batched: bool = False) -> Explain:
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(AfterInverse(model))

    def explain(x: Tensor, n: int) -> np.ndarray:
        def spectra(series: Tensor) -> np.ndarray:
            parts = torch.view_as_real(torch.fft.rfft(series.to(device_of(model))))
            return method.attribute(parts, target=TARGET, n_steps=n).detach().sum(-1).cpu().numpy()

        return spectra(x) if batched else _one_by_one(spectra, x)

    return explain


def load(key: str, n_time: int, folder: Path) -> tuple[Case, Tensor]:
    """A network by the name that `peers.py` gives it, and 64 series for it."""
    if key == "saturated":
        model, x = saturated_lstm(folder)
        return Case("LSTM trained on the demo", 256, model), x
    # The trained LSTM has paths that jump, which says nothing about time to an accuracy.
    case = (random_cases() if key == "lstm" else trained_cases(folder))[key]
    case = Case(case.name, n_time or case.n, case.model)
    return case, case.signals(64)


class Memory:
    """What a run takes beyond what was held before: of the process, or of the card.

    Parameters
    ----------
    device : torch.device
        Where the model is.
    """

    def __init__(self, device: torch.device) -> None:
        self.cuda = device.type == "cuda"

    def confine(self, mebibytes: int) -> None:
        """Let allocations beyond so much memory fail rather than take the machine down."""
        if self.cuda:
            there = torch.cuda.get_device_properties(0).total_memory
            torch.cuda.set_per_process_memory_fraction(min(mebibytes * 2**20 / there, 1.0))
            return
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (mebibytes * 2**20,) * 2)

    def reset(self) -> None:
        """Forget earlier peaks."""
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
        else:
            # Writing 5 sets the peak that the kernel remembers back to what is held now.
            Path("/proc/self/clear_refs").write_text("5")

    def held(self) -> int:
        """Bytes held now."""
        if self.cuda:
            return torch.cuda.memory_allocated()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def peak(self) -> int:
        """Most bytes held since the last reset."""
        return torch.cuda.max_memory_allocated() if self.cuda else peak_bytes()


def answer(command: dict[str, Any], explain: Explain, x: Tensor, memory: Memory) -> dict[str, Any]:
    """Run one command.

    Parameters
    ----------
    command : dict
        `do`: "time" (explain `rows` series at `n` nodes), "scores" (the same, with scores), or
        "memory" (the same, with the peak beyond what was held before).
    explain : callable
        The contender.
    x : torch.Tensor
        Series.
    memory : Memory
        That of the process, or of the card.
    """
    rows, n = x[: command["rows"]], command["n"]
    before = memory.held()
    if command["do"] == "memory":
        memory.reset()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        begin = time.perf_counter()
        try:
            found = explain(rows, n)
        except (MemoryError, RuntimeError) as error:
            # PyTorch says "can't allocate memory", the C++ library "std::bad_alloc".
            if not any(word in str(error).lower() for word in ("memory", "alloc")):
                raise
            return {"error": "out of memory"}
        seconds = time.perf_counter() - begin
    said = [str(warning.message) for warning in caught]
    result: dict[str, Any] = {"seconds": seconds, "warnings": said, "bytes": memory.peak() - before}
    result |= NOTES
    if command["do"] == "scores":
        result["scores"] = np.asarray(found, dtype=np.float64).tolist()
    return result


def main() -> None:
    """Serve commands until the input ends."""
    name, key, n_time, peers, threads, device = sys.argv[1:7]
    torch.set_num_threads(int(threads))
    # Ten bits in convolutions, cuDNN's default, would be all that errors show.
    torch.backends.cudnn.allow_tf32 = False
    # Behind everything else: peers must find this environment's NumPy and PyTorch, and no other.
    sys.path.append(str(Path(peers) / "site"))
    case, x = load(key, int(n_time), Path(peers) / "weights")
    out, sys.stdout = sys.stdout, io.StringIO()
    recurrent = any(isinstance(module, nn.RNNBase) for module in case.model.modules())
    if device == "cuda" and recurrent and name not in OURS:
        # In eval cuDNN has no backward pass for these layers, and peers would fail there.
        torch.backends.cudnn.enabled = False
    explain, memory = contender(name, case.model.to(device)), Memory(torch.device(device))
    x = x.contiguous()
    print(json.dumps({"ready": True}), file=out, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "confine":
            memory.confine(command["mebibytes"])
            reply: dict[str, Any] = {}
        else:
            # freqIG 0.1.8 prints its target.
            with contextlib.redirect_stdout(io.StringIO()):
                reply = answer(command, explain, x, memory)
        print(json.dumps(reply), file=out, flush=True)


if __name__ == "__main__":
    main()
