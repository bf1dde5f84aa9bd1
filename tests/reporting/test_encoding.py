"""Arrays come back as they were, or off by what is promised; no text ends an element."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from freqig.reporting.encoding import encoded, json_of, levelled, quantized
from freqig.reporting.look import Rich
from freqig.reporting.plotly_json import figure_json

from .unpacking import unpacked

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, max_side=9)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["int8", "uint8", "int16", "float32"]).flatmap(lambda kind: hnp.arrays(kind, SHAPES)))
def test_arrays_come_back_bit_by_bit(values: np.ndarray) -> None:
    made = encoded(values)
    found = unpacked(made.text, made.about)
    assert found.dtype == values.dtype
    assert found.tobytes() == values.tobytes()


@pytest.mark.parametrize("bits", [8, 16])
@settings(max_examples=20, deadline=None)
@given(values=hnp.arrays(np.float64, (3, 5), elements=st.floats(-1e6, 1e6)))
def test_levels_are_off_by_half_a_step(values: np.ndarray, bits: int) -> None:
    levels, step = quantized(values, bits)
    top = np.abs(values).max(axis=1)
    np.testing.assert_array_less(
        np.abs(levels * step[:, None].astype(np.float64) - values).max(axis=1),
        0.51 * top / (2 ** (bits - 1) - 1) + 1e-6 * top + 1e-30,
    )


@settings(max_examples=20, deadline=None)
@given(values=hnp.arrays(np.float64, (2, 3, 5), elements=st.floats(-1e6, 1e6)))
def test_waves_are_off_by_half_a_step_of_their_range(values: np.ndarray) -> None:
    levels, middle, step = levelled(values)
    found = levels * step[..., None].astype(np.float64) + middle[..., None]
    allowed = 0.51 * np.ptp(values, axis=-1) / 254 + 1e-6 * np.abs(values).max(axis=-1) + 1e-30
    np.testing.assert_array_less(np.abs(found - values).max(axis=-1), allowed)


def test_small_steps_on_a_large_offset_stay_visible() -> None:
    """Air pressure: what is quantised is the wave, not the distance to zero."""
    wave = 101325 + np.sin(np.arange(100.0))
    levels, middle, step = levelled(wave[None])
    assert np.abs(levels[0] * step[0] + middle[0] - wave).max() < 0.02


@settings(max_examples=20, deadline=None)
@given(st.text())
def test_no_text_ends_an_element(text: str) -> None:
    made = json_of({"</script><script>alert(1)</script>": text + "</script><!--"})
    assert not set("<>&") & set(made)
    (found,) = json.loads(made).values()
    # What nobody sees, or what turns text around, stands as U+FFFD; all else is as it was.
    assert all(
        a == b or (a == "\ufffd" and not b.isprintable())
        for a, b in zip(found, text + "</script><!--", strict=True)
    )


def test_what_is_not_finite_is_null() -> None:
    assert json.loads(json_of([np.nan, np.inf, np.float32(0.5), np.int64(3), np.bool_(True), None])) == [
        None,
        None,
        0.5,
        3,
        True,
        None,
    ]


def test_text_on_figures_loses_its_markup() -> None:
    traces = [{"name": '<a href="http://x">N2</a>', "text": ["<b>&", Rich("<b>")], "y": np.zeros(3)}]
    (made,) = figure_json(traces)
    assert made["name"] == '&lt;a href="http://x"&gt;N2&lt;/a&gt;'
    assert made["text"] == ["&lt;b&gt;&amp;", "<b>"]
    assert made["y"]["dtype"] == "f8"
