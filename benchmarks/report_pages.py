"""Four reports on real and simulated signals, and photographs of them, for people to look at.

    FREQIG_DATA=FOLDER python benchmarks/report_pages.py OUT [night flicker digits bearing] [--browser PATH]

FOLDER holds `yasa_samples` (samples of YASA, github.com/raphaelvallat/yasa, BSD-3-Clause), `ssvep_exo`
(github.com/sylvchev/dataset-ssvep-exoskeleton, CC0), and `fsdd_subset` (WAVs of the Free Spoken Digit
Dataset, CC BY-SA 4.0). The night has a real hypnogram; its signal is simulated by stage, with real spindles
in N2 and real slow waves in N3. The bearing is simulated. OUT gets a page of each, photographs of it at 1,280
and 400 px, in a browser that prefers the dark too, and what it prints. Results stay in OUT and are not made
again.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from networks import fit
from recordings import CHANNELS, FS, SECONDS, STAGES, TwoChannels, simulated
from scipy.io import wavfile
from scipy.signal import butter, resample_poly, sosfiltfilt
from torch import Tensor, nn

import freqig

N = round(FS * SECONDS)
SPINDLES, LASTING = (3.4, 13.3), 1.0
"""Middles of the spindles in the sample of N2, and how much is taken to both sides, in s."""
GAINS = np.array([[1.0], [0.7]])
"""How strong both are in each channel."""
WIDTHS = {"wide": 1280, "narrow": 400}
READY = "html[data-ready=yes]"


def night(data: Path) -> xr.Dataset:
    """A night of real stages, 30 s each, whose signal is simulated."""
    stages = np.loadtxt(data / "yasa_samples" / "hypnogram_6hrs_30s.txt").astype(int)
    model = _stager(data)
    x = xr.DataArray(
        _epochs(stages, data, seed=0),
        dims=("sample", "channel", "time"),
        coords={"channel": list(CHANNELS), "onset": ("sample", SECONDS * np.arange(len(stages)))},
        attrs={"units": "uV"},
    )
    explainer = freqig.Explainer(
        model,
        fs=FS,
        unit="uV",
        classes=STAGES,
        output="margin",
        # Some do not converge so, which the page has to tell.
        tol=0.03,
        max_evaluations=32,
        domains=[freqig.RFFT(), freqig.Time(), freqig.STFT(2)],
    )
    return explainer(x, truth=np.array(STAGES)[stages])


def _epochs(stages: np.ndarray, data: Path, seed: int) -> np.ndarray:
    """Signals in µV, shape (epoch, channel, time): at a transition the second half is of the next stage."""
    rng = np.random.default_rng(seed)
    rhythms = simulated(stages, seed).reshape(len(CHANNELS), len(stages), N).swapaxes(0, 1)
    # What is real comes in place of what is simulated.
    quiet = simulated(np.zeros_like(stages), seed + 1).reshape(len(CHANNELS), len(stages), N).swapaxes(0, 1)
    quiet = sosfiltfilt(butter(4, (7, 17), "bandstop", fs=FS, output="sos"), quiet)
    x = np.where(np.isin(stages, (2, 3))[:, None, None], quiet, rhythms)
    spindles, waves = _spindles(data), _slow_waves(data)
    for epoch in np.flatnonzero(stages == 2):
        for spindle in spindles:
            at = rng.integers(0, N - spindle.size)
            x[epoch, :, at : at + spindle.size] += rng.uniform(0.7, 1.3) * GAINS * spindle
    for epoch in np.flatnonzero(stages == 3):
        x[epoch] += rng.uniform(0.6, 1.0) * GAINS * np.roll(waves, rng.integers(N))
    changes = np.flatnonzero(np.diff(stages))
    x[changes, :, N // 2 :] = x[changes + 1, :, N // 2 :]
    return x.astype(np.float32)


def _spindles(data: Path) -> list[np.ndarray]:
    real = np.loadtxt(data / "yasa_samples" / "data_N2_spindles_15sec_200Hz.txt")
    band = sosfiltfilt(butter(4, (11, 16), "bandpass", fs=200, output="sos"), real)
    band = resample_poly(band, 1, 2)
    half = round(LASTING * FS)
    return [np.hanning(2 * half) * band[round(at * FS) - half :][: 2 * half] for at in SPINDLES]


def _slow_waves(data: Path) -> np.ndarray:
    real = np.loadtxt(data / "yasa_samples" / "data_N3_no-spindles_30sec_100Hz.txt")
    return np.asarray(sosfiltfilt(butter(4, (0.3, 4), "bandpass", fs=FS, output="sos"), real))[:N]


def _stager(data: Path) -> nn.Module:
    stages = np.arange(300) % len(STAGES)
    x = torch.tensor(_epochs(stages, data, seed=7))
    labels = torch.tensor(stages)
    model = TwoChannels()

    def draw(step: int) -> tuple[Tensor, Tensor]:
        rows = 7 * torch.arange(20 * step, 20 * (step + 1)) % len(stages)
        return x[rows], labels[rows]

    torch.manual_seed(0)
    model(x[:2])
    fit(model, 100, 0.001, draw)
    return model.eval()


def flicker(data: Path) -> xr.Dataset:
    """Eight channels of people who look at lights."""
    from freqig.demo import recordings, ssvep

    result = ssvep.run(recordings.read_recordings(data)).result
    # Classes of the demonstration are numbers; a reader looks for frequencies.
    names = np.array([f"{hertz:g} Hz" for hertz in recordings.FLICKER_HZ])
    known = result.assign_coords(
        truth=("sample", [f"{hertz:g} Hz" for hertz in result.flicker.values]),
        **{name: ("sample", names[result[name].values]) for name in ("target", "predicted")},
    )
    subject = [str(name).partition("_")[0] for name in result.recording.values]
    return known.assign_coords(subject=("sample", subject))


class Ear(nn.Module):
    """Energies behind learnt filters in eighths of a recording, then digits."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv1d(1, 32, 129, padding=64, bias=False)
        self.digits = nn.Linear(32 * 8, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, of (batch, 1, time)."""
        energy = nn.functional.adaptive_avg_pool1d(self.filters(x).square(), 8)
        return self.digits(torch.log1p(100 * energy).flatten(1))


def digits(data: Path) -> xr.Dataset:
    """Spoken digits; takes 0 to 4 are those that were held out."""
    paths = sorted((data / "fsdd_subset").glob("*.wav"))
    about = [path.stem.split("_") for path in paths]
    x = np.zeros((len(paths), 1, 4000), dtype=np.float32)
    for row, path in enumerate(paths):
        wave = wavfile.read(path)[1][:4000] / 32768
        x[row, 0, : len(wave)] = wave / np.abs(wave).max()
    said = np.array([int(digit) for digit, _, _ in about])
    test = np.array([int(take) < 5 for _, _, take in about])
    model, own, labels = Ear(), torch.tensor(x[~test]), torch.tensor(said[~test])

    def draw(step: int) -> tuple[Tensor, Tensor]:
        rows = 7 * torch.arange(32 * step, 32 * (step + 1)) % len(own)
        return own[rows], labels[rows]

    torch.manual_seed(0)
    fit(model, 150, 0.003, draw)
    rows = np.flatnonzero(test)[::3]
    wave = xr.DataArray(
        x[rows],
        dims=("sample", "channel", "time"),
        coords={
            "file": ("sample", [paths[row].name for row in rows]),
            "subject": ("sample", [about[row][1] for row in rows]),
        },
    )
    explainer = freqig.Explainer(
        model.eval(),
        fs=8000,
        output="margin",
        classes=[str(digit) for digit in range(10)],
        domains=[freqig.RFFT(), freqig.Time(), freqig.STFT(0.064)],
    )
    return explainer(wave, truth=said[rows].astype(str))


def bearing(_: Path) -> xr.Dataset:
    """A bearing with and without a defect, explained by how its loudness goes up and down."""
    problem = freqig.synth.bearing(n=60, seed=0)
    band = 800, 1600
    explainer = freqig.Explainer(
        freqig.synth.oracle(problem),
        fs=problem.fs,
        output="margin",
        domains=[freqig.Envelope(*band) >> freqig.RFFT(), freqig.Time()],
    )
    return explainer(
        problem.signal.values,
        baseline=freqig.baselines.flat_envelope(*band),
        truth=problem.label.values,
    )


PAGES: dict[str, tuple[Callable[[Path], xr.Dataset], str]] = {
    "night": (night, "A night of sleep"),
    "flicker": (flicker, "Lights that flicker"),
    "digits": (digits, "Spoken digits"),
    "bearing": (bearing, "A bearing"),
}


def photograph(page: Path, browser: str) -> None:
    """Pictures of every section at both widths, of the whole where the dark is preferred, and a PDF."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, width in WIDTHS.items():
            tab = chromium.new_page(viewport={"width": width, "height": 900})
            tab.goto(page.as_uri())
            tab.wait_for_selector(READY, state="attached", timeout=120_000)
            # All that is animated has ended.
            tab.wait_for_timeout(500)
            for section in tab.locator("main > section").all():
                told = page.with_name(f"{page.stem}-{name}-{section.get_attribute('id')}.png")
                section.screenshot(path=told)
            if name == "wide":
                tab.emulate_media(color_scheme="dark")
                tab.screenshot(path=page.with_name(f"{page.stem}-dark.png"))
                tab.pdf(path=page.with_suffix(".pdf"), format="A4")
            tab.close()
        chromium.close()


def main() -> None:
    """Make the pages that were asked for, and photographs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("pages", nargs="*", choices=[[], *PAGES], help="default all")
    parser.add_argument("--browser", default="/usr/bin/chromium")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    data = Path(os.environ["FREQIG_DATA"])
    for name in options.pages or PAGES:
        make, title = PAGES[name]
        kept = options.out / f"{name}.nc"
        if not kept.exists():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", freqig.errors.FreqigWarning)
                make(data).to_netcdf(kept, engine="h5netcdf")
        result = xr.load_dataset(kept, engine="h5netcdf")
        page = freqig.report(result, options.out / f"{name}.html", title=title, force=True)
        print(f"{page}: {page.stat().st_size / 1e6:.1f} MB, {result.sizes['sample']} samples")
        if Path(options.browser).exists():
            photograph(page.resolve(), options.browser)


if __name__ == "__main__":
    main()
