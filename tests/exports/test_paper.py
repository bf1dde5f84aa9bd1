"""The paragraph: every number in it is that of the result."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import freqig
from freqig.exports import paper, references


def explained(baseline: object = None, **settings: object) -> xr.Dataset:
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(256, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
    )
    torch.manual_seed(0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    x = np.random.default_rng(0).normal(size=(6, 2, 128))
    return freqig.Explainer(model, fs=64, **settings)(x, target=0, baseline=baseline)


def test_numbers_are_those_of_the_result() -> None:
    result = explained(tol=0.02, max_evaluations=500, unit="uV")
    text = freqig.methods_text(result)
    gap = np.abs(result.completeness_gap)
    for said in (
        "In all, 6 signals of 2 channels and 2 s at 64 Hz (in µV) were explained.",
        "the raw output of the model.",
        "Paths began at zero at every sample.",
        "tolerance of 0.02",
        "at most 500 evaluations",
        f"converged for {int(result.converged.sum())} of 6 explanations",
        f"{float(gap.median()):.2g} in the median and {float(gap.max()):.2g} at most",
        f"freqig {freqig.__version__} and PyTorch {torch.__version__}",
        result.attrs["model_fingerprint"][:19],
        "Attributions were taken in RFFT().",
    ):
        assert said in text
    body, references = text.split("\n\n")
    for number in range(1, len(references.splitlines()) + 1):
        assert str(number) in body.replace("[4, 5]", "[4] [5]")
    assert "Sundararajan" in references
    assert "Gräve" in references
    assert "Captum" not in references


@pytest.mark.parametrize(
    ("baseline", "says", "cites"),
    [
        (freqig.baselines.dc(), "the mean of each series", ""),
        (freqig.baselines.band_removed(8, 12), "the signal without the band from 8 to 12 Hz", ""),
        (freqig.baselines.surrogate(seed=5, draws=2), "2 series with the power spectrum", "Theiler"),
        (freqig.baselines.noise(-2), "a power spectrum f^-2", "Timmer"),
        (freqig.baselines.data(np.zeros((3, 2, 128))), "each of 3 signals", "Erion"),
        (np.ones((2, 128)), "given signals", ""),
    ],
    ids=str,
)
def test_baselines_are_told_and_cited(baseline: object, says: str, cites: str) -> None:
    text = freqig.methods_text(explained(baseline, n_steps=3))
    assert says in text
    assert cites in text
    assert "3 fixed nodes" in text


def test_windows_of_a_long_signal_are_told() -> None:
    explainer = freqig.Explainer(lambda x: x.square().mean((1, 2)), fs=64)
    text = freqig.methods_text(freqig.slide(explainer, np.ones((1, 2, 250)), window=1, hop=0.5))
    assert "One signal of 2 channels and 3.90625 s at 64 Hz was explained in 7 windows of 1 s" in text
    assert "one every 0.5 s, whose attributions and outputs were added up" in text


def test_baselines_of_carriers_and_phases_are_told_in_words() -> None:
    flat = freqig.baselines.flat_envelope(8, 12)
    assert "Paths began at the signal with the envelope of its band from 8 to 12 Hz" in (
        freqig.methods_text(explained(flat, domains=freqig.Envelope(8, 12)))
    )
    flat = freqig.baselines.flat_log_spectrum()
    assert "Paths began at the signal with a flat spectrum" in (
        freqig.methods_text(explained(flat, domains=freqig.Cepstrum()))
    )


def test_paths_of_domains_that_are_not_linear_are_told() -> None:
    """How well these converged is theirs to say: gaps of the other path are not their gaps."""
    result = explained(domains=[freqig.RFFT(), freqig.Polar()])
    result["polar_completeness_gap"] += 0.25
    result["polar_converged"][:2] = False
    text = freqig.methods_text(result)
    assert "Those of 'polar' are integrals along paths of their own" in text
    assert "which converged for 4 of 6 explanations, with a gap of 0.25 at most." in text
    assert "of their own" not in freqig.methods_text(explained())


def test_domains_are_told_without_what_was_left_open_and_cited() -> None:
    domains = [freqig.RFFT("orders", orders=12.5), freqig.FilterBank("octave", n=4), freqig.Segments(1.0)]
    text = freqig.methods_text(explained(domains=domains, n_steps=3))
    assert "taken in RFFT(orders=12.5), FilterBank(bands='octave', n=4) [3], Segments(length=1)." in text
    assert "Vetterli" in text
    flat = freqig.baselines.flat_envelope(8, 12)
    told = freqig.methods_text(
        explained(flat, domains=freqig.Envelope(8, 12) >> freqig.RFFT("orders", orders=5))
    )
    assert re.search(r"Envelope\(low=8.0, high=12.0\), RFFT\(orders=5.0\)\) \[\d\]", told)
    assert "Antoni" in told


def test_one_signal_lengths_that_differ_and_means() -> None:
    model = lambda x: x.square().mean((1, 2))
    explainer = freqig.Explainer(model, fs=64)
    x = np.random.default_rng(0).normal(size=(3, 2, 128))
    result = explainer(x)
    told = freqig.methods_text(result.isel(sample=1))
    assert "One signal of 2 channels and 2 s at 64 Hz was explained." in told
    assert f"was {abs(float(result.completeness_gap[1])):.2g}, " in told
    assert "at a difference |F(x) - F(x')| of" in told
    several = freqig.methods_text(explainer([x[0], x[1, :, :32], x[2]]))
    assert "In all, 3 signals of 2 channels and 0.5 to 2 s at 64 Hz were explained." in several
    result["converged"][0] = False
    mean = freqig.methods_text(result.mean("sample", keep_attrs=True))
    assert "Explanations of signals of 2 channels and 2 s at 64 Hz were averaged." in mean
    assert "Attributions converged for 66.7 % of explanations" in mean


def test_engines_domains_and_bands_are_told() -> None:
    text = freqig.methods_text(explained(engine="captum", n_steps=300, output="log_prob"))
    assert "300 fixed nodes by Captum [3]" in text
    assert "Kokhlikyan" in text
    assert "the log probability of" in text
    bands = freqig.bands(explained(domains=[freqig.STFT(0.5), freqig.Time()], n_steps=3), {"alpha": (8, 12)})
    text = freqig.methods_text(bands)
    assert "STFT(window=0.5, taper='hann') [3], Time()" in text
    assert "Griffin" in text
    assert "summed over bands in Hz: alpha 8-12;" in text


def test_results_without_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"result must hold attrs\['settings'\]"):
        freqig.methods_text(xr.Dataset())


def test_references_are_the_same_as_text_and_as_bibtex() -> None:
    held = Path(references.__file__).with_name("references.bib").read_text(encoding="utf-8")
    entries = {text.partition("{")[2].partition(",")[0]: text for text in re.split(r"\n(?=@)", held)}
    assert set(references.KEYS) == set(references.REFERENCES)
    assert set(references.KEYS.values()) == set(entries)
    plain = {r"{\"a}": "ä", r"{\"o}": "ö", r"{\'e}": "é"}
    for key, text in references.REFERENCES.items():
        entry = entries[references.KEYS[key]]
        for code, letter in plain.items():
            entry = entry.replace(code, letter)
        surname = text.split()[0]
        assert f"author = {{{surname}," in entry
        for number in re.findall(r"(?<![\d.])\d{2,4}(?![\d.])", text.replace("arXiv:2009.07896", "")):
            assert number in entry, (key, number)
        words = re.sub("[{}]", "", entry).replace("--", "-").lower()
        assert all(word.strip(".,:") in words for word in text.partition("). ")[2].lower().split()[:4])


def test_what_is_cited_is_there_as_bibtex() -> None:
    result = explained(freqig.baselines.surrogate(seed=5))
    text, entries = freqig.methods_text(result), paper.bibtex(result)
    assert text.count("\n[") == entries.count("@")
    assert "@article{theiler1992," in entries
    assert "timmer1995" not in entries


EMPTY = pytest.mark.filterwarnings("ignore:the baseline:freqig.errors.EmptyExplanationWarning")
PEOPLE = np.repeat(["a", "b", "c", "d", "e", "f", "g"], 10)


def grouped(**settings: object) -> tuple[freqig.Explainer, np.ndarray]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(32, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
    return freqig.Explainer(model, fs=32, **settings), np.random.default_rng(0).normal(size=(70, 32))


def test_means_are_told_with_those_whom_they_are_over() -> None:
    explainer, x = grouped()
    result = explainer(x, target=1).assign_coords(subject=("sample", PEOPLE))
    text = freqig.methods_text(freqig.summarize(result))
    assert "Means were taken over 70 signals, first within a subject and then over 7 subjects." in text
    assert "over subjects (5000 resamples, seed 0)" in text
    assert "The completeness gap of the means" in text
    stage = np.where(PEOPLE < "f", "N2", "W")
    text = freqig.methods_text(freqig.summarize(result.assign_coords(stage=("sample", stage)), by="stage"))
    assert "Means were taken by stage, over 20 to 50 signals each" in text
    assert "over 2 to 5 subjects. No intervals are given, as there are fewer than 6 subjects." in text


def test_nodes_of_averages_are_told() -> None:
    explainer, x = grouped()
    text = freqig.methods_text(explainer.average(x, {"half": PEOPLE < "d"}, target=1))
    assert "converged for 2 of 2 means" in text
    assert "Signals of small groups were integrated one by one" in text
    whole = explainer.average(x, target=1)
    nodes = int(whole.n_evaluations)
    for found in (whole, freqig.summarize(whole)):
        text = freqig.methods_text(found)
        assert "Paths were integrated over all signals of a group at once" in text
        assert "was 0.01 of their L1 norm at most." in text
        assert "adaptive Bayesian" not in text
    assert f"with {nodes} nodes per signal" in freqig.methods_text(whole)


@EMPTY
def test_several_inputs_are_told_with_the_baseline_of_each() -> None:
    def model(eeg: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
        return torch.stack([eeg.sum((1, 2)), motion.square().sum(-1)], 1)

    eeg, motion = np.ones((4, 2, 64)), np.ones((4, 32))
    explainer = freqig.Explainer(model, fs=64)
    result = explainer((eeg, motion), target=1)
    text = freqig.methods_text(result)
    assert "4 samples of 2 inputs (2 channels and 1 s at 64 Hz; 0.5 s at 64 Hz) were explained." in text
    assert "Paths began at zero at every sample." in text
    assert "Attributions were taken in RFFT()." in text
    text = freqig.methods_text(explainer((eeg, motion), target=1, baseline=(None, motion / 2)))
    assert "Paths began at zero at every sample for input 0 and given signals for input 1." in text


@EMPTY
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"output": lambda raw, target: raw.sum(1)}, "of the outputs of the predicted class"),
        ({"output": "margin", "classes": ("rest", "task")}, "of the predicted class (rest, task)."),
        ({}, "the raw output of the predicted class."),
    ],
    ids=["own", "margin", "raw"],
)
def test_the_explained_output_is_told_for_what_it_is(settings: dict[str, object], says: str) -> None:
    explainer, x = grouped(**settings)
    assert says in freqig.methods_text(explainer(x))


def test_outputs_that_are_no_classes_are_not_called_so() -> None:
    _, x = grouped()
    net = torch.nn.Conv1d(1, 3, 5)
    explainer = freqig.Explainer(lambda x: net(x[:, None]), output=lambda raw, target: raw[:, 1].mean(-1))
    text = freqig.methods_text(explainer(x))
    assert "of the outputs of the model." in text
    assert "predicted" not in text
