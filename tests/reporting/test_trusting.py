"""Numbers of trust, and methods, are those of the result."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import freqig
from freqig.reporting.content import Alert, Figure, Listing, Missing, Paragraph, Table
from freqig.reporting.words.sources import sources
from freqig.reporting.words.trusting import trusted

from .results import told


def test_distributions_are_those_of_the_numbers() -> None:
    result = told(None, {"": (11, 16)}, count=21)
    result["estimated_error"][:] = np.arange(21) / 1000
    result["n_evaluations"][:] = np.arange(21)
    pieces = trusted(result)
    assert isinstance(pieces[0], Alert)
    assert pieces[0].level == "good"
    (table,) = (one for one in pieces if isinstance(one, Table))
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["estimated error"] == (0, 0.001, 0.005, 0.01, 0.015, 0.019, 0.02)
    assert rows["evaluations"] == (0, 1, 5, 10, 15, 19, 20)
    assert rows["completeness gap"] == (0.001,) * 7
    texts = [one.text for one in pieces if isinstance(one, Paragraph)]
    assert "21 of 21 explanations converged (100 %)." in texts
    assert "They took 210 evaluations of the gradient." in texts
    assert "No output jumps on its path, as far as integration saw." in texts


def test_histograms_count_every_sample_once() -> None:
    result = told(None, {"": (11, 16)}, count=40)
    rng = np.random.default_rng(0)
    errors = 10 ** rng.uniform(-5, -0.5, 40)
    errors[:3], errors[3] = 0, np.nan
    result["estimated_error"][:] = errors
    result["converged"][:] = ~(errors > 0.01)
    figures = {one.anchor: one for one in trusted(result) if isinstance(one, Figure)}
    assert set(figures) == {"errors", "gaps"}
    rows = figures["errors"].table.rows
    assert sum(row[2] for row in rows) == 39
    assert rows[0][:3] == (0, 0, 3)
    for low, high, count, bad in rows[1:]:
        inside = (errors >= low * (1 - 1e-5)) & (errors < high * (1 - 1e-5))
        assert (count, bad) == (inside.sum(), (inside & (errors > 0.01)).sum())
    good, bad = figures["errors"].traces
    assert sum(good["y"]) + sum(bad["y"]) == 39
    # A colour is not all that tells them apart.
    assert "pattern" in bad["marker"]
    assert "pattern" not in good["marker"]
    assert figures["errors"].layout["shapes"][0]["x0"] == -2
    assert "1 value it is not known" in figures["errors"].table.note


def test_jumps_are_counted_where_they_are() -> None:
    result = told(None, {"": (11, 16)}, count=20)
    result["jump_place"][:3] = [0.05, 0.51, 0.59]
    result["jump_size"][:3] = [1.0, -5.0, 2.0]
    result["jump_width"][:3] = 1e-9
    pieces = trusted(result)
    (figure,) = (one for one in pieces if isinstance(one, Figure) and one.anchor == "jumps")
    assert figure.traces[0]["y"] == [1, 0, 0, 0, 0, 2, 0, 0, 0, 0]
    assert figure.table.rows == [("0.0–0.1", 1), ("0.5–0.6", 2)]
    (text,) = (
        one.text for one in pieces if isinstance(one, Paragraph) and "jumps on the path" in str(one.text)
    )
    assert "3 samples (15 %), by 2 in the median and 5 at most" in text


@pytest.mark.parametrize("gone", ["converged", "estimated_error", "completeness_gap"])
def test_what_a_result_lacks_is_named(gone: str) -> None:
    pieces = trusted(told(None, {"": (11, 16)}, count=8).drop_vars(gone))
    assert [one for one in pieces if isinstance(one, Missing) and gone in one.text]


def test_fixed_nodes_know_neither_error_nor_jumps() -> None:
    result = told(None, {"": (11, 16)}, count=8).drop_vars("jump_place")
    result["estimated_error"][:] = np.nan
    missing = [one.text for one in trusted(result) if isinstance(one, Missing)]
    assert len(missing) == 2
    assert all("adaptive nodes" in text for text in missing)


def test_sanity_checks_are_told_or_how_to_run_them() -> None:
    x = np.random.default_rng(0).normal(size=(4, 64))
    heard = torch.nn.Linear(64, 1).double()
    explainer = freqig.Explainer(heard, fs=64)
    result = explainer(x, target=0)
    assert any(isinstance(one, Listing) and "freqig.evaluate(" in one.text for one in trusted(result))
    table = freqig.evaluate(result, heard, x, families=["complexity", "deletion"], random_orders=1)
    pieces = trusted(result, table)
    texts = [one.text for one in pieces if isinstance(one, Paragraph)]
    assert table.attrs["verdict"] in texts
    assert any(text.startswith("Not measured: ") and "sanity" in text for text in map(str, texts))
    (scores,) = (one for one in pieces if isinstance(one, Table) and one.anchor == "sanity-checks")
    entropy = float(table["mean"].sel(variable="rfft", metric="entropy", group="all"))
    assert ("rfft", "entropy", float(f"{entropy:.3g}"), 4) in [row[:4] for row in scores.rows]
    with pytest.raises(ValueError, match="samples of result, 3, got 4"):
        trusted(result.isel(sample=slice(3)), table)
    with pytest.raises(ValueError, match=r"as freqig\.evaluate returns it, got one with rfft"):
        trusted(result, result)
    with pytest.raises(ValueError, match=r"variables of result \(stft\), got rfft"):
        trusted(result.rename(rfft="stft"), table)


def test_methods_hold_what_the_result_says_of_itself() -> None:
    result = told(None, {"": (11, 16)}, count=8)
    pieces = sources(result, "freqig report night.nc --out report.html")
    texts = {one.anchor: one.text for one in pieces if isinstance(one, Listing)}
    assert texts["methods-text"] == freqig.methods_text(result)
    assert texts["bibtex"].startswith("@misc{grave2025,")
    assert texts["command"] == "freqig report night.nc --out report.html"
    (table,) = (one for one in pieces if isinstance(one, Table))
    assert ("settings", "tol", "0.01") in table.rows
    assert ("versions", "torch", "2.13") in table.rows
    assert ("model", "fingerprint", result.attrs["model_fingerprint"]) in table.rows
    bare = sources(result.drop_attrs())
    assert [one for one in bare if isinstance(one, Missing) and "lost its attributes" in one.text]
