"""What the figures of maps refuse, and what they tell the user to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import xarray as xr

from freqig import plots


@pytest.mark.parametrize(
    ("draw", "domain"),
    [
        (plots.spectrogram, "freqig.STFT"),
        (plots.wavelet, "freqig.Wavelet"),
        (plots.segments, "freqig.Segments"),
        (plots.components, "freqig.FilterBank"),
        (plots.polar, "freqig.Polar"),
    ],
)
def test_errors_of_every_figure(maps: xr.Dataset, draw: Callable[..., Any], domain: str) -> None:
    name = {"components": "filterbank", "spectrogram": "stft"}.get(draw.__name__, draw.__name__)
    only = maps[["rfft"]]
    with pytest.raises(
        ValueError, match=rf"result must have a variable '{name}', got 'rfft'.*domains=\[.*{domain}"
    ):
        draw(only, name=name)
    with pytest.raises(
        ValueError, match=rf"result.rfft must have a dimension of .*got .*'channel'.*{domain}"
    ):
        draw(maps, name="rfft")
    with pytest.raises(TypeError):
        draw(maps.rfft, name=name)
    if name not in maps:
        return
    with pytest.raises(ValueError, match=r"sample must be in -2\.\.1 "):
        draw(maps, 2, name=name)
    with pytest.raises(
        ValueError, match=r"one target, got 4; select one, for example result.isel\(target=0\)"
    ):
        draw(maps.drop_vars("target").expand_dims(target=4), name=name)
    with pytest.raises(ValueError, match="channel must be one of 0, 1, 2, got 7"):
        draw(maps, name=name, channel=7)
    with pytest.raises(TypeError, match="axes must be"):
        draw(maps, name=name, axes=3)


def test_other_errors(maps: xr.Dataset, levels: xr.Dataset) -> None:
    with pytest.raises(
        ValueError, match=r"both; select one component, .*isel\(ica_component=0\).*spectrogram"
    ):
        plots.components(maps, name="ica_stft")
    with pytest.raises(ValueError, match="channel must be None for a result without channels"):
        plots.components(maps, name="ica", channel=0)
    with pytest.raises(
        ValueError, match=r"max_frequency must be None for result.ica, which is over time, got 3"
    ):
        plots.components(maps, name="ica", max_frequency=3)
    with pytest.raises(ValueError, match="max_frequency must be at least 2, the lowest"):
        plots.spectrogram(maps.isel(stft_frequency=slice(1, None)), max_frequency=1)
    with pytest.raises(ValueError, match="the coordinate 'wavelet_time'"):
        plots.wavelet(levels.drop_vars("wavelet_time"))
    with pytest.raises(ValueError, match="classes must be one per segment, so 5 of them, got 1"):
        plots.segments(maps, classes=["W"])
    with pytest.raises(
        ValueError, match="the name of a variable of the result over 'segments_segment', got 'rfft'"
    ):
        plots.segments(maps, classes="rfft")
    with pytest.raises(ValueError, match=r"order must hold every class, got \['W'\] without \['N1'\]"):
        plots.segments(maps, classes=["W", "N1", "W", "W", "W"], order=["W"])
