"""Three sentences: what was explained, how sure it is, and which bands decided."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import xarray as xr

from ...result.gaps import gap_shares
from ..content import Paragraph, Piece, Table
from .cells import Axis
from .counting import counted, listed, percent
from .decisions import OUTPUT, agreement_with_truth, along_samples, groups_of, of_one_output
from .judging import Verdict, evidence_of, judged

SCALES = {
    "output": "{}",
    "logit": "the logit of {}",
    "log_prob": "the log probability of {}",
    "probability": "the probability of {}",
    "margin": "the margin of {} over the others",
}


def summarised(result: xr.Dataset, *, seed: int = 0) -> list[Piece]:
    """Three sentences on a result, each with its numbers, and a table of the bands of the classes.

    Parameters
    ----------
    result : xarray.Dataset
        At least one sample.
    seed : int
        Of the bootstrap.

    Examples
    --------
    >>> import torch, freqig
    >>> model = torch.nn.Linear(64, 1, bias=False)
    >>> model.weight.data[0] = torch.cos(2 * torch.pi * 8 * torch.arange(64) / 64)
    >>> time = np.arange(64) / 64
    >>> x = [np.cos(2 * np.pi * 8 * time) + np.cos(2 * np.pi * f * time) for f in range(10, 30)]
    >>> result = freqig.Explainer(model, fs=64)(np.array(x), target=0)
    >>> print(summarised(result)[2].text)
    Output 0 was decided by 8 Hz (100 % of the positive attribution, 95 % interval 100–100, over 20 samples).
    """
    axis = Axis.of(result)
    verdicts = [] if axis is None else [judged(one, axis, seed=seed) for one in evidence_of(result, axis)]
    return told(result, verdicts)


def told(result: xr.Dataset, verdicts: Sequence[Verdict], counted_as: str = "") -> list[Piece]:
    """The sentences, of bands that are judged already.

    Parameters
    ----------
    result : xarray.Dataset
        The result, or one of several recordings with `counted_as` in place of what was explained.
    verdicts : sequence of Verdict
        Of each class; none where nothing was explained by frequency.
    counted_as : str
        What was explained.
    """
    sentences = (_what(result, counted_as), _how_sure(result), _bands(verdicts))
    return [*map(Paragraph, sentences), *([table_of(verdicts)] if verdicts else [])]


def table_of(verdicts: Sequence[Verdict]) -> Table:
    """Bands of all classes, and why there is none."""
    rows = tuple(
        (
            _called(one.evidence.label),
            one.evidence.samples,
            one.choice.band if one.named else "none",
            _rounded(one.choice.share),
            _rounded(one.choice.low),
            _rounded(one.choice.high),
            _rounded(one.choice.agreed),
            one.why_not,
        )
        for one in verdicts
    )
    columns = (
        *("class", "samples", "band", "share of the positive attribution"),
        *("95 % from", "95 % to", "draws that agree", "why none is named"),
    )
    return Table(
        "bands-named",
        "The band that decided for each class",
        columns,
        rows,
        "The band is where positive attribution is most crowded. Draws are bootstrap draws of people, or of "
        "samples, and repeat the choice. Shares have four digits.",
    )


def _what(result: xr.Dataset, counted_as: str) -> str:
    settings = json.loads(result.attrs.get("settings", "{}"))
    count = result.sizes["sample"]
    files = along_samples(result, "file")
    of_files = ""
    if files is not None:
        names = list(dict.fromkeys(map(str, files.tolist())))
        of_files = f" of {names[0]}" if len(names) == 1 else f" of {counted(len(names), 'file')}"
    shape = ""
    if "signal" in result:
        signal = result["signal"]
        fs, n = settings.get("fs"), signal.sizes.get("time", 0)
        long = f"{n / fs:.4g} s at {fs:,g} Hz" if fs else f"{n} values"
        channels = int(np.prod([size for dim, size in signal.sizes.items() if dim not in ("sample", "time")]))
        shape = f" ({counted(channels, 'channel')}, {long})"
    model = str(result.attrs.get("model_class", "")).rpartition(".")[2]
    digits = str(result.attrs.get("model_fingerprint", "")).removeprefix("sha256:")[:8]
    by = f"the model {model}" if model else "the model"
    by += f" (fingerprint {digits})" if digits else ""
    groups = groups_of(result)
    # Of windows that were added up the unit is that of the sum.
    told = result.get("window_output", result.get("output", xr.DataArray()))
    unit = str(told.attrs.get("units", ""))
    kind = "output" if unit == "output" else "class"
    given = _called(groups[0].label) if len(groups) == 1 else f"a given {kind}"
    of = {"predicted": "the class that it predicts", "all": f"every {kind}"}.get(
        str(settings.get("target")), given
    )
    of = of if groups[0].label != OUTPUT else "its only output"
    scale = str(settings.get("output"))
    # A function of one's own is told by its name; what was not kept cannot be told.
    other = f"{scale} of {{}}" if "output" in settings else "{}"
    if scale == "logit":
        # What is raw may be no logit.
        scale = "output" if groups[0].label == OUTPUT else unit or scale
    what = SCALES.get(scale, other).format(of)
    if slid := settings.get("slide"):
        # Of these the outputs are, and what is explained is their weighted sum.
        what += f" in {counted(slid['windows'], 'window')} of {slid['window']:g} s, added up"
    whole = counted_as or counted(count, "sample") + of_files
    verb = "was" if count == 1 and not counted_as else "were"
    return f"{whole}{shape} {verb} explained, as {by} decided: by {what}."


def _how_sure(result: xr.Dataset) -> str:
    parts = []
    if "converged" in result and result["converged"].size:
        converged = result["converged"].values.astype(bool)
        parts.append(
            f"{percent(float(converged.mean()))} of {counted(converged.size, 'explanation')} converged"
        )
    gap = gap_shares(result)
    if gap is not None and np.isfinite(gap).any():
        usual = percent(float(np.nanmedian(gap)))
        parts.append(f"attributions miss the change of the output by {usual} of their L1 norm in the median")
    agreed = agreement_with_truth(result)
    if agreed is None and not of_one_output(result):
        parts.append("whether the model is right is unknown, as the result holds no truth")
    elif agreed is not None:
        parts.append(
            f"the model is right in {percent(agreed.share)} of {counted(agreed.count, 'sample')}, where "
            f"labels dealt at random would be in {percent(agreed.chance)}"
        )
    sentence = "; ".join(parts) or "how sure they are is not known"
    return sentence[0].upper() + sentence[1:] + "."


def _bands(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return (
            "No band is named, as nothing was explained by frequency: explain in freqig.RFFT(), which "
            "--domains rfft does on the command line."
        )
    named = [one for one in verdicts if one.named]
    rest = [one for one in verdicts if not one.named]
    parts = [_of_band(one, first=not i) for i, one in enumerate(named)]
    if rest and not named and len(rest) == 1:
        parts.append(f"no band is named for {_called(rest[0].evidence.label)}, because {rest[0].why_not}")
    elif rest:
        whose = listed([_called(one.evidence.label) for one in rest])
        same = {one.why_not for one in rest}
        why = f"because {rest[0].why_not}" if len(same) == 1 else "for reasons that the table gives"
        parts.append(f"no band is named for {whose}, {why}")
    sentence = "; ".join(parts)
    return sentence[0].upper() + sentence[1:] + "."


def _of_band(verdict: Verdict, first: bool) -> str:
    choice, evidence = verdict.choice, verdict.evidence
    low, high = (f"{100 * value:.0f}" for value in (choice.low, choice.high))
    verb = "was decided" if first else ""
    by = " ".join(filter(None, [_called(evidence.label), verb, f"by {choice.band}"]))
    of = " of the positive attribution, 95 % interval" if first else ","
    over = f", over {counted(len(evidence.values), evidence.unit)}"
    return f"{by} ({percent(choice.share)}{of} {low}–{high}{over})"


def _called(label: str) -> str:
    return f"output {label}" if label.isdecimal() else label


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def method_of(result: xr.Dataset) -> str:
    """The method of others that made a result, in words; empty where freqig.Explainer did."""
    settings = json.loads(result.attrs.get("settings", "{}"))
    return str(result.attrs.get("method", settings["method"])) if "method" in settings else ""


def adds_up(variable: xr.DataArray) -> bool:
    """Whether attributions sum to F(x) - F(x')."""
    return bool(variable.attrs.get("adds_up", True))
