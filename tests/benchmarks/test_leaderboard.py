"""The leaderboard: cells that are kept by key, networks that are learnt once, and what goals are told by."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")
if BENCHMARKS not in sys.path:
    # Behind everything else, for some scripts there have names that others might have.
    sys.path.append(BENCHMARKS)

import truth  # noqa: E402
from leaderboard import methods, store, summary  # noqa: E402
from leaderboard.cases import CASES  # noqa: E402
from leaderboard.coverage import coverage  # noqa: E402
from leaderboard.goals import goals  # noqa: E402
from leaderboard.task import counting, task_of  # noqa: E402
from leaderboard.training import trained  # noqa: E402

BOX, NODES = "arma rare time", "ig logit zero n_steps=8"


def run(folder: Path, *more: str) -> int:
    return truth.main(["--quick", "--cache", str(folder), "--case", BOX, "--method", NODES, *more])


def kept(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "quick.jsonl").read_text().splitlines()]


def test_a_quick_cell_is_run_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 0
    (cell,) = kept(tmp_path)
    # The integral of the gradient of Σ x² over what is seen is x² there, and nothing elsewhere.
    assert cell["mean"]["average_precision"] == 1.0
    assert cell["mean"]["relevance_mass_accuracy"] == pytest.approx(1)
    assert cell["mean"]["truth_share"] == 125 / 2500
    assert cell["series"] == truth.QUICK_SAMPLES
    assert 8 <= cell["gradients"] <= cell["calls"]
    before = (tmp_path / "quick.jsonl").stat()
    assert run(tmp_path) == 0
    assert (tmp_path / "quick.jsonl").stat() == before
    assert "met: arma rare time" not in capsys.readouterr().out


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    run(tmp_path)
    path = tmp_path / "quick.jsonl"
    whole = path.read_text()
    path.write_text(whole + whole[: len(whole) // 2])
    assert run(tmp_path, "--method", "gradient × input logit") == 0
    assert [cell["method"] for cell in kept(tmp_path)] == [NODES, "gradient × input logit"]
    path.write_text("{}\n" + whole)
    with pytest.raises(ValueError, match=r"quick.jsonl, line 1, is no result"):
        store.read(path)


@pytest.mark.parametrize("option", ["--case", "--method"])
def test_a_key_that_is_not_there_is_named(tmp_path: Path, option: str) -> None:
    with pytest.raises(ValueError, match=rf"{option} must be one of .*got 'flextimes'"):
        truth.main(["--quick", "--cache", str(tmp_path), option, "flextimes"])


def test_a_network_is_learnt_once_for_each_seed(tmp_path: Path) -> None:
    case = CASES["unused_cue"]
    first, again = (trained(case, 0, tmp_path, quick=True) for _ in range(2))
    assert first.digest == again.digest
    assert first.seconds == again.seconds > 0
    assert first.accuracy == again.accuracy > 0.9
    x = torch.from_numpy(case.make(4, 9).signal.values)
    torch.testing.assert_close(first.model(x), again.model(x), rtol=0, atol=0)
    assert trained(case, 1, tmp_path, quick=True).digest != first.digest
    assert len(list(tmp_path.iterdir())) == 2
    task = task_of(case, first, 0, 6)
    assert task.problem.attrs["seed"] != 0
    assert (first.model(torch.from_numpy(task.x)).argmax(1).numpy() == task.target).all()


def test_calls_are_counted_with_and_without_gradient() -> None:
    model = torch.nn.Linear(3, 1)
    with counting(model) as calls:
        model(torch.ones(2, 3))
        model(torch.ones(5, 3, requires_grad=True))
        with torch.no_grad():
            model(torch.ones(7, 3, requires_grad=True))
    model(torch.ones(1, 3))
    assert (calls.series, calls.gradients) == (14, 5)


def test_bins_add_up_to_the_regions_of_the_truth() -> None:
    case = CASES["flextime"]
    problem = case.test(4, 0)
    attribution = problem.truth_rfft.values.astype(float)
    regions = case.scored(problem, attribution)
    np.testing.assert_array_equal(regions > 0, case.true(problem))
    np.testing.assert_array_equal(regions.sum(1), attribution.sum((1, 2)))
    np.testing.assert_array_equal(case.scored(problem, regions), regions)


def test_a_method_is_added_by_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from leaderboard.methods import Method\nMETHODS = [Method('mine', lambda t: t.x, 'x itself')]\n"
    (tmp_path / "own_method.py").write_text(text)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    found = methods.found()
    assert found["mine"].says == "x itself"
    (tmp_path / "own_method_2.py").write_text(text)
    with pytest.raises(ValueError, match="two methods are called 'mine': rename that of own_method_2"):
        methods.found()


def cell(
    method: str, seed: int, precision: float, calls: float, case: str = BOX, network: str = "oracle"
) -> dict:
    mean = {CASES[case].headline: precision, "relevance_rank_accuracy_by_sign": precision}
    return {
        "case": case,
        "method": method,
        "seed": seed,
        "mean": mean,
        "series": 9,
        "gradients": calls,
        "calls": calls,
        "network": network,
        "seconds": 0.1,
    }


def test_first_is_told_by_spread_and_cost() -> None:
    cells = [cell("other", s, v, 100) for s, v in ((5, 0.90), (6, 0.92))]
    cells += [cell("ours", 5, 0.9, 10), cell("ours cheap", 5, 0.5, 1), cell("ours", 0, 0.1, 1)]
    # A later result stands for the earlier one.
    cells += [cell("ours", 5, 0.897, 10)]
    rows = summary.rows(cells, range(5, 10))
    other = next(row for row in rows if row.method == "other")
    assert (other.headline, other.headline_spread) == pytest.approx((0.91, np.std([0.9, 0.92], ddof=1)))
    ranked = summary.ranking(rows, CASES[BOX])
    assert [row.method for row in ranked] == ["other", "ours", "ours cheap"]
    assert [row.method for row in summary.leaders(ranked)] == ["other", "ours"]

    def verdict(chosen: str) -> tuple[bool | None, str]:
        goal = next(g for g in goals(rows, chosen, ["ours", "ours cheap"]) if g.says.startswith(BOX))
        return goal.met, goal.found

    assert verdict("ours")[0] is True
    met, found = verdict("ours cheap")
    assert met is False
    assert "ours would be" in found
    assert verdict("ours dear")[0] is None


def test_results_of_an_earlier_network_are_left_out() -> None:
    cells = [cell("a", 5, 0.1, 9, network="old"), cell("b", 5, 0.2, 9, network="old")]
    cells += [cell("a", 5, 0.3, 9, network="new"), cell("b", 6, 0.4, 9, network="old")]
    rows = summary.rows(cells, range(5, 10))
    assert {(row.method, row.seeds, row.headline) for row in rows} == {("a", (5,), 0.3), ("b", (6,), 0.4)}


def test_a_setting_is_chosen_by_its_mean_and_then_by_its_cost() -> None:
    names = ["a", "b", "c", "partly"]
    cells = [
        cell(n, 0, p, c, case) for case in (BOX, "product") for n, p, c in (("a", 0.8, 50), ("b", 0.8002, 9))
    ]
    cells += [cell("c", 0, 0.7, 1, case) for case in (BOX, "product")] + [cell("partly", 0, 1.0, 1)]
    ranked = summary.settings(summary.rows(cells, range(5)), names)
    assert [name for name, *_ in ranked] == ["b", "a", "c"]
    assert ranked[0][1:] == pytest.approx((0.8002, 9, 2))


def test_what_was_run_is_told_with_every_exception() -> None:
    every = [methods.Method(name, lambda task: task.x, "x", cannot) for name, cannot in WHO.items()]
    cells = [cell("a", seed, 1, 1, case) for case in CASES for seed in (5, 6)]
    cells += [cell("b", seed, 1, 1, case) for case in CASES if case not in (BOX, "hmm") for seed in (5, 6)]
    told = coverage(summary.rows([*cells, cell("b", 5, 1, 1, "hmm")], [5, 6, 7]), every, [5, 6, 7])
    first, _, *others = told.split("\n")
    assert first == "Of seeds 5, 6, 7: 5, 6 have been run, all problems by all methods, but:"
    assert others == ["- **b**: hmm (seed 5); arma rare time (not its)."]
    assert coverage([], every, [0]) == "Nothing of seeds 0 has been run."


WHO = {"a": lambda _: "", "b": lambda case: "not its" if case.name == BOX else ""}


def test_the_published_goal_needs_accuracy_and_cost() -> None:
    case = "freqrise σ=0.8"
    rise = cell("FreqRISE, 3,000 masks", 5, 1.0, 3000, case)

    def met(precision: float, calls: float) -> bool | None:
        rows = summary.rows([rise, cell("ig log_prob zero", 5, precision, calls, case)], [5])
        return goals(rows, "x", [])[0].met

    assert met(0.991, 30)
    assert not met(0.989, 30)
    assert not met(0.991, 31)
    assert goals([], "x", [])[0].met is None
