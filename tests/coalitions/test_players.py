"""Players are a partition of the signal, and each is what its band, channel and stretch holds."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from freqig import FilterBank, Segments
from freqig.coalitions.pairs import Pairs
from freqig.coalitions.players import Players, read_players

BANDS = FilterBank({"low": (1, 6), "high": (8, 14)}, transition=1.0)
ALL = {
    "bands": BANDS,
    "channels": "channels",
    "segments": Segments(0.7),
    "bands and channels": (BANDS, "channels"),
    "channels and segments": ("channels", Segments(0.7)),
    "segments and bands": (Segments(0.7), BANDS),
    "all": (Segments(0.7), "channels", BANDS),
}


def bound(players, shape=(3, 65), fs=32.0):
    return Players(read_players(players)).bind(shape, fs)


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(40, 90))
def test_players_add_up_to_the_signal_in_any_parting(name, seed, n):
    rng = np.random.default_rng(seed)
    players = bound(ALL[name], (2, n))
    delta = torch.from_numpy(rng.normal(size=(2, n)))
    inside = rng.random((5, players.count)) < 0.5
    prepared = players.prepared(delta)
    both = players.present_in(prepared, inside) + players.present_in(prepared, ~inside)
    torch.testing.assert_close(both, delta.expand(5, -1, -1))
    each = players.present_in(prepared, np.eye(players.count, dtype=bool))
    torch.testing.assert_close(each.sum(0), delta)


def test_a_band_is_filtered_with_its_gain_by_an_explicit_transform():
    players, x = bound(BANDS, (65,)), torch.randn(65, dtype=torch.float64)
    gains = BANDS.bind((65,), 32.0).weights(np.fft.rfftfreq(65, 1 / 32))
    expected = np.fft.irfft(gains * np.fft.rfft(x.numpy()), 65)
    found = players.present_in(players.prepared(x), np.eye(3, dtype=bool))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_stretch_of_a_band_is_cut_between_analysis_and_synthesis():
    players, x = bound((BANDS, Segments(1.0)), (64,)), torch.randn(64, dtype=torch.float64)
    root = np.sqrt(BANDS.bind((64,), 32.0).weights(np.fft.rfftfreq(64, 1 / 32)))[1]
    held = np.fft.irfft(root * np.fft.rfft(x.numpy()), 64)
    held[:32] = 0
    expected = np.fft.irfft(root * np.fft.rfft(held), 64)
    # Second band, second stretch, in the order given.
    one = np.arange(6)[None] == 1 * 2 + 1
    np.testing.assert_allclose(players.present_in(players.prepared(x), one)[0], expected, atol=1e-12)


def test_channels_and_stretches_without_bands_are_cut_from_the_series():
    players, x = bound(("channels", Segments(1.0)), (2, 64)), torch.randn(2, 64, dtype=torch.float64)
    expected = torch.zeros(2, 64, dtype=torch.float64)
    expected[1, :32] = x[1, :32]
    torch.testing.assert_close(players.present_in(players.prepared(x), np.arange(4)[None] == 2)[0], expected)


def test_axes_before_the_channels_follow_them():
    players, x = bound((BANDS, "channels"), (2, 3, 64)), torch.randn(2, 3, 64, dtype=torch.float64)
    each = players.present_in(players.prepared(x), np.eye(9, dtype=bool))
    torch.testing.assert_close(each.sum(0), x)
    assert not each[0][:, 1:].any()


def test_labels_follow_the_order_of_the_players():
    assert bound((Segments(1.5), "channels")).called(("Fz", "Cz", "Pz")).labels()[:4] == [
        "0 s × Fz",
        "0 s × Cz",
        "0 s × Pz",
        "1.5 s × Fz",
    ]


def test_who_is_present_is_told_by_the_shorter_list():
    players = bound(Segments(0.1))
    few, most = np.zeros(players.count, bool), np.ones(players.count, bool)
    few[2], most[2] = True, False
    assert players.told(few) == "players 0.1875 s present, all others at the baseline"
    assert players.told(most) == "all players present but 0.1875 s"
    assert players.told(few & ~few) == "no player present"


@pytest.mark.parametrize(
    ("players", "message"),
    [
        ("bands", 'players must be freqig.FilterBank.*"channels"'),
        ((), "at least one, got none"),
        ((BANDS, FilterBank("sleep")), "one of each kind at most.*band, band"),
        (3, "players must be"),
    ],
)
def test_players_that_are_none_are_refused(players, message):
    with pytest.raises((TypeError, ValueError), match=message):
        read_players(players)


def test_too_many_players_are_refused_with_their_number():
    with pytest.raises(ValueError, match=r"players must be at most 4096, got 4099 \(4099\)"):
        bound(Segments(1 / 32), (4099,))
    assert bound(Segments(1 / 32), (4096,)).count == 4096
    with pytest.raises(ValueError, match=r"at most 256 for max_order=2.*got 300"):
        Pairs(Players(read_players(Segments(1 / 32))), "pairs").bind((300,), 32.0)


def test_channels_need_an_axis_of_channels():
    with pytest.raises(ValueError, match="without a channel axis"):
        bound("channels", (64,))
