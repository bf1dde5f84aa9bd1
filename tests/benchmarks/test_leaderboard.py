"""The leaderboard: cells that are kept by key, networks that are learnt once, and what goals are told by."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib import rcParams

BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")
if BENCHMARKS not in sys.path:
    # Behind everything else, for some scripts there have names that others might have.
    sys.path.append(BENCHMARKS)

import truth  # noqa: E402
from leaderboard import methods, store, summary  # noqa: E402
from leaderboard.cases import CASES  # noqa: E402
from leaderboard.costs import costs  # noqa: E402
from leaderboard.coverage import coverage  # noqa: E402
from leaderboard.goals import goals  # noqa: E402
from leaderboard.task import counting, task_of  # noqa: E402
from leaderboard.training import shortened, trained  # noqa: E402

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
    assert 0 < cell["cpu_seconds"] * truth.QUICK_SAMPLES < cell["cell_cpu_seconds"]
    before = (tmp_path / "quick.jsonl").stat()
    assert run(tmp_path) == 0
    assert (tmp_path / "quick.jsonl").stat() == before
    assert "met: arma rare time" not in capsys.readouterr().out


def test_two_processes_find_what_one_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--method", "gradient × input logit", "--case", "unused_cue")
    assert run(tmp_path / "one", *more) == run(tmp_path / "two", "--jobs", "2", *more) == 0
    one, two = (
        {(cell["case"], cell["method"]): cell["mean"] for cell in kept(tmp_path / folder)}
        for folder in ("one", "two")
    )
    assert one.keys() == two.keys() == {(c, m) for c in (BOX, "unused_cue") for m in (NODES, more[1])}
    for key, mean in one.items():
        assert two[key] == pytest.approx(mean, rel=1e-3)
    assert "4 cells: " in capsys.readouterr().out


def test_training_is_summed_once_for_each_network_and_apart() -> None:
    shared = {"case": "product", "seed": 5, "network": "a", "training_seconds": 120.0, "series": 4}
    spent = {"cell_seconds": 90.0, "cell_cpu_seconds": 60.0, "cpu_seconds": 7.5}
    cells = [{**shared, **spent, "method": "x"}, {**shared, **spent, "method": "y", "case": "pitch"}]
    cells += [{**shared, **spent, "method": "y"}, {**shared, "method": "not timed as a whole"}]
    assert costs(cells) == [
        "3 cells: 3.0 min of a processor, 4.5 min one after another",
        "of these to explain, and not to score: 1.5 min of a processor",
        "apart, training of 2 networks: 4.0 min by the clock",
        "of the processor by method: y 2.0 min, x 1.0 min",
        "of the processor by case: product 2.0 min, pitch 1.0 min",
    ]
    assert costs(cells[-1:]) == []


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
    case = shortened(CASES["unused_cue"])
    first, again = (trained(case, 0, tmp_path) for _ in range(2))
    assert first.digest == again.digest
    assert first.seconds == again.seconds > 0
    assert first.accuracy == again.accuracy > 0.9
    x = torch.from_numpy(case.make(4, 9).signal.values)
    torch.testing.assert_close(first.model(x), again.model(x), rtol=0, atol=0)
    assert trained(case, 1, tmp_path).digest != first.digest
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


def test_a_seed_is_told_by_one_network_alone() -> None:
    committed = [cell(m, 5, p, 9, network="there") for m, p in (("a", 0.1), ("b", 0.2))]
    here = [cell("a", 5, 0.3, 9, network="here"), cell("b", 6, 0.4, 9, network="there")]

    def told(cells: list[dict]) -> set[tuple]:
        return {(row.method, row.seeds, round(row.headline, 9)) for row in summary.rows(cells, range(5, 10))}

    assert told(committed + here) == {("a", (5,), 0.1), ("b", (5, 6), 0.3)}
    # As many of the later one stand for the seed.
    here += [cell("b", 5, 0.6, 9, network="here")]
    assert told(committed + here) == {("a", (5,), 0.3), ("b", (5, 6), 0.5)}
    assert told(here + committed) == {("a", (5,), 0.1), ("b", (5, 6), 0.3)}


def test_a_run_goes_on_from_what_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(truth, "RESULTS", tmp_path)
    monkeypatch.setattr(truth, "CELLS", tmp_path / "truth_cells.jsonl")
    few = methods.Method("mine", lambda task: task.x, "x itself", samples=4, ours=True)
    monkeypatch.setattr(truth, "found", lambda: {"mine": few})

    def start(folder: str, *more: str) -> list[dict]:
        assert truth.main(["--cache", str(tmp_path / folder), "--case", BOX, *more]) == 0
        return list(store.read(tmp_path / folder / "results.jsonl").values())

    (first,) = start("one machine", "--seeds", "5")
    assert "scatter" in first
    letters = rcParams["font.size"]
    start("one machine", "--page")
    assert rcParams["font.size"] == letters
    committed = store.read(truth.CELLS)
    del first["scatter"]
    assert committed == {store.key(first): first}

    # Another machine has nothing but the file: it adds a seed, and keeps both.
    assert [one["seed"] for one in start("another", "--seeds", "5-6")] == [6]
    start("another", "--page")
    assert {one["seed"] for one in store.read(truth.CELLS).values()} == {5, 6}
    assert json.loads((tmp_path / "truth.json").read_text())["rows"][0]["seeds"] == [5, 6]

    # What was learnt there would be another network here: it is not learnt again, which is said.
    moved = [{**one, "network": "there"} for one in store.read(truth.CELLS).values()]
    store.write(truth.CELLS, moved)
    capsys.readouterr()
    # What is asked for afresh is run, whatever the file has.
    assert [one["seed"] for one in start("afresh", "--seeds", "5-6", "--fresh")] == [5, 6]
    assert [one["seed"] for one in start("a third", "--seeds", "5-7")] == [7]
    assert capsys.readouterr().out.count("truth_cells.jsonl has all of it, of network there") == 2
    # A method that is not there makes the seed another network's.
    more = {"mine": few, "more": methods.Method("more", lambda task: -task.x, "-x", samples=4, ours=True)}
    monkeypatch.setattr(truth, "found", lambda: more)
    added = start("a fourth", "--seeds", "5")
    assert [(one["method"], one["network"]) for one in added] == [("mine", "oracle"), ("more", "oracle")]


def test_a_page_is_not_written_of_a_quick_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        truth.main(["--quick", "--page"])
    assert "--page writes what is committed" in capsys.readouterr().err


def test_a_problem_without_data_is_left_out_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from leaderboard import flicker

    monkeypatch.setattr(flicker, "DATA", Path("nowhere"))
    every = [methods.Method("a", lambda task: task.x, "x", ours=True)]
    planned = list(truth.jobs(CASES.values(), every, [5]))
    assert [case.name for case, *_ in planned] == [name for name in CASES if name != "flicker"]
    told = coverage(summary.rows([cell("a", 5, 1, 1, c) for c in CASES if c != "flicker"], [5]), every, [5])
    assert told.split("\n")[-1] == (
        "- **flicker** is left out: FREQIG_DATA names no folder with the recordings of `freqig demo ssvep`."
    )
    # Results of another machine are results.
    assert "flicker" not in coverage(summary.rows([cell("a", 5, 1, 1, c) for c in CASES], [5]), every, [5])


def test_flicker_is_true_at_its_frequency_and_its_double(data_path: Path) -> None:
    case = CASES["flicker"]
    problem = case.test(10, 5)
    assert problem.sizes["sample"] == 30
    for series, label in zip(problem.truth_line.values, problem.label.values, strict=True):
        lit = (13.0, 17.0, 21.0)[label]
        assert problem.frequency.values[series].tolist() == [lit, 2 * lit]
    # Where it is seen is not known, so that electrodes add up.
    attribution = np.random.default_rng(0).normal(size=(30, 8, 129))
    np.testing.assert_allclose(case.scored(problem, attribution), attribution.sum(1))
    assert case.true(problem).shape == (30, 129)
    # Nothing that is explained was learnt from.
    learnt = {series.tobytes() for series in case.training(5).signal.values}
    assert not learnt & {series.tobytes() for series in problem.signal.values}


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
