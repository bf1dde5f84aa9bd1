"""Every metric: what it is, its range, which way is better, where it comes from, and what it cannot say."""

from __future__ import annotations

from dataclasses import dataclass

FAMILIES = (
    "deletion",
    "erasure",
    "difference",
    "road",
    "truth",
    "complexity",
    "stability",
    "sanity",
    "agreement",
)


@dataclass(frozen=True)
class About:
    """A metric in words.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    meaning : str
        Its definition.
    range : str
        Which values it may take.
    better : {"higher", "lower", ""}
        Which way is better; nothing where neither is.
    source : str
        Where it comes from.
    limits : str
        What it cannot say.
    """

    family: str
    meaning: str
    range: str
    better: str
    source: str
    limits: str


PETSIUK = "Petsiuk et al., RISE, 2018"
DEYOUNG = "DeYoung et al., ERASER, 2020; per class as in Enguehard, Time Interpret, 2023"
SHRIKUMAR = "Shrikumar et al., DeepLIFT, 2017"
TIMING = "Jang et al., TIMING, 2025"
RONG = "Rong et al., ROAD, 2022"
FREQRISE = "Brüsch et al., FreqRISE, 2024"
ARRAS = "Arras et al., CLEVR-XAI, 2022"
CRABBE = "Crabbé and van der Schaar, Dynamask, 2021"
BHATT = "Bhatt et al., Evaluating and aggregating, 2020"
YEH = "Yeh et al., On the (in)fidelity and sensitivity, 2019"
AGARWAL = "Agarwal et al., Rethinking stability, 2022"
ADEBAYO = "Adebayo et al., Sanity checks for saliency maps, 2018"
OFF = "points off the data may be answered by chance; compare with the random and the amplitude order"
CURVE = "any, in the unit of the output"


def _curves() -> dict[str, About]:
    found = {}
    for kind, better in (("deletion", "lower"), ("insertion", "higher")):
        for by in ("count", "energy"):
            what = "replaced" if kind == "deletion" else "kept, and all others replaced"
            share = "number" if by == "count" else "energy of x - x'"
            meaning = (
                f"mean explained output as the top q by {share} of the coefficients are {what}, q from 0 to 1"
            )
            found[f"{kind}_by_{by}"] = About("deletion", meaning, CURVE, better, PETSIUK, OFF)
            for order, who in (
                ("random", "in random orders, the mean of several"),
                ("amplitude", "in the order of their energy, without the model"),
                ("best", "in the best of all orders, searched by 2^p evaluations"),
            ):
                found[f"{kind}_by_{by}_{order}"] = About(
                    "deletion", f"{meaning}, {who}", CURVE, "", PETSIUK, "a yardstick, and no explanation"
                )
    return found


def _truth() -> dict[str, About]:
    found = {}
    for ending, ranked in (("", "|attribution|"), ("_by_sign", "attribution")):
        scaled = f"{ranked} scaled to 0..1 by the smallest and largest of the sample"
        mass = ranked if not ending else "positive attribution"
        for name, meaning, source, limits in (
            (
                "relevance_rank_accuracy",
                f"share of the |truth| coefficients with the largest {ranked} that are in the truth",
                ARRAS,
                "how far the others are off, and whether the model uses the truth",
            ),
            (
                "relevance_mass_accuracy",
                f"share of the {mass} that lies in the truth",
                ARRAS,
                "rises as the truth grows; one coefficient may make all of it",
            ),
            (
                "average_precision",
                f"mean precision over the coefficients of the truth, ranked by {ranked}",
                "scikit-learn, average_precision_score",
                "depends on the share that is true, which is what chance reaches; not on scaling",
            ),
            (
                "aup",
                f"area under precision by threshold, of {scaled}",
                CRABBE,
                "depends on scaling: one outlier changes it; compare average_precision",
            ),
            (
                "aur",
                f"area under recall by threshold, of {scaled}",
                CRABBE,
                "depends on scaling, and a constant explanation does well; compare average_precision",
            ),
        ):
            found[name + ending] = About("truth", meaning, "0..1", "higher", source, limits)
    found["truth_share"] = About(
        "truth", "share of the coefficients that are in the truth", "0..1", "", "", "what chance reaches"
    )
    return found


def _differences() -> dict[str, About]:
    found = {}
    for ending, ranked in (("_by_magnitude", "|attribution|"), ("_by_sign", "attribution")):
        of = "Σ |p(x_k) - p(x_k+1)|₁ over class probabilities, or the explained output where there are none,"
        found["cpd" + ending] = About(
            "difference",
            f"cumulative prediction difference: {of} "
            f"as the 10 % with the largest {ranked} are replaced one by one",
            "0 or more",
            "higher",
            TIMING,
            "steps up and down add, so that noise of the model counts too",
        )
        found["cpp" + ending] = About(
            "difference",
            f"cumulative prediction preservation: {of} "
            f"as the 10 % with the smallest {ranked} are replaced one by one",
            "0 or more",
            "lower" if ending == "_by_magnitude" else "",
            TIMING,
            "coefficients that nobody uses make it small in any order"
            if ending == "_by_magnitude"
            else "by sign the smallest are those that lower the output most: a large value is then no fault",
        )
    return found


KEPT = {"faithfulness@0.05": 0.05, "faithfulness@0.1": 0.1, "faithfulness@0.25": 0.25}
"""Shares of the coefficients that alone are kept."""

NOT_PROBABLE = "probability of the explained class, or the explained output where outputs are no classes"

ABOUT: dict[str, About] = {
    **_curves(),
    "comprehensiveness": About(
        "erasure",
        f"how far the {NOT_PROBABLE}, falls as the top 10 % of the coefficients are replaced",
        "-1..1 of probabilities",
        "higher",
        DEYOUNG,
        OFF,
    ),
    "sufficiency": About(
        "erasure",
        f"how far the {NOT_PROBABLE}, falls as the top 10 % alone are kept",
        "-1..1 of probabilities",
        "lower",
        DEYOUNG,
        OFF,
    ),
    "log_odds": About(
        "erasure",
        "log p after the top 10 % were replaced, minus log p before, p of the explained class",
        "any, mostly below 0",
        "lower",
        SHRIKUMAR,
        "one sample whose p falls to nearly 0 outweighs all others",
    ),
    **{
        name: About(
            "erasure",
            f"{NOT_PROBABLE}, where the top {100 * share:g} % alone are kept",
            "0..1 of probabilities",
            "higher",
            FREQRISE,
            OFF,
        )
        for name, share in KEPT.items()
    },
    **_differences(),
    "road_most_first": About(
        "road",
        f"{NOT_PROBABLE}, as the top 10, 30, 50, 70 and 90 % are imputed from their neighbours, mean",
        "0..1 of probabilities",
        "lower",
        RONG,
        "neighbours in frequency know little of each other's phase; magnitudes are imputed, phases drawn",
    ),
    "road_least_first": About(
        "road",
        "the same for the coefficients at the end of the order",
        "0..1 of probabilities",
        "higher",
        RONG,
        "as road_most_first",
    ),
    "road": About(
        "road",
        "road_least_first minus road_most_first",
        "-1..1 of probabilities",
        "higher",
        RONG,
        "as road_most_first",
    ),
    **_truth(),
    "entropy": About(
        "complexity",
        "-Σ p ln p, p the share of each coefficient of Σ |attribution|",
        "0..ln of the number of coefficients",
        "lower",
        BHATT,
        "whether the few are the right ones; and it grows with the resolution",
    ),
    "effective_number": About(
        "complexity",
        "exp(entropy): so many equal coefficients have the same entropy",
        "1..number of coefficients",
        "lower",
        BHATT,
        "as entropy",
    ),
    "sensitivity": About(
        "stability",
        "largest |a(x + noise) - a(x)| / |a(x)| over draws of 5 % noise that leave the class as it is",
        "0 or more",
        "lower",
        YEH,
        "an explanation that says the same of everything has 0",
    ),
    "relative_output_stability": About(
        "stability",
        "largest |(a(x + noise) - a(x)) / a(x)| / |h(x + noise) - h(x)| over the same draws, "
        "h the raw outputs",
        "0 or more",
        "lower",
        AGARWAL,
        "coefficients near zero make it large; compare within a model only",
    ),
    "class_kept": About(
        "stability",
        "share of the draws of noise that left the class as it is",
        "0..1",
        "",
        "",
        "it is of the model, and not of the explanation",
    ),
    **{
        f"{who}_{what}": About("sanity", meaning, limits_of[0], better, ADEBAYO, limits_of[1])
        for who, model in (
            ("untrained", "the model with all weights drawn anew"),
            ("random_labels", "the model trained on random labels"),
        )
        for what, meaning, better, limits_of in (
            (
                "gap_ratio",
                f"|F(x) - F(x')| of {model}, over that of the model",
                "lower",
                ("0 or more", "values of an untrained model are as large as its initialisation"),
            ),
            (
                "magnitude_ratio",
                f"Σ |attribution| of {model}, over that of the model",
                "lower",
                ("0 or more", "values of an untrained model are as large as its initialisation"),
            ),
            (
                "rank_correlation",
                f"Spearman's ρ of |attribution| with that of {model}",
                "lower",
                (
                    "-1..1",
                    "ranks follow the power of the input whatever the model: look at gap and magnitude",
                ),
            ),
            (
                "cosine",
                f"cosine of the attributions with those of {model}",
                "lower",
                ("-1..1", "sees no size: look at gap and magnitude"),
            ),
        )
    },
    **{
        f"agreement_{what}": About("agreement", meaning, span, "", "Krishna et al., 2022", limits)
        for what, meaning, span, limits in (
            (
                "rank_correlation",
                "Spearman's ρ of |attribution| with another result, mean over the others",
                "-1..1",
                "two may agree and both be wrong; ranks follow the power of the input",
            ),
            (
                "cosine",
                "cosine of the attributions with those of another result, mean over the others",
                "-1..1",
                "two may agree and both be wrong",
            ),
            (
                "top",
                "share of the top 10 % by |attribution| that both have, mean over the others",
                "0..1",
                "two may agree and both be wrong",
            ),
            (
                "magnitude_ratio",
                "Σ |attribution| of another result over that of this one, mean over the others",
                "0 or more",
                "units of another output are others",
            ),
        )
    },
}
"""All metrics by name."""
