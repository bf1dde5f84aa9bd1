"""What the paragraph for a paper cites, as text and as BibTeX."""

from __future__ import annotations

import re
from importlib.resources import files

REFERENCES = {
    "FLEX": (
        "Gräve P, Steinbrinker T, Ehrlich F, Hempel P, Zaschke P, Krefting D, Spicher N (2025). Using EEG "
        "Frequency Attributions to Explain the Classifications of a Deep Neural Network for Sleep Staging."
    ),
    "IG": (
        "Sundararajan M, Taly A, Yan Q (2017). Axiomatic Attribution for Deep Networks. Proceedings of the "
        "34th International Conference on Machine Learning, PMLR 70, 3319-3328."
    ),
    "Shapley": (
        "Shapley LS (1953). A value for n-person games. In: Contributions to the Theory of Games II, "
        "307-317. Princeton University Press."
    ),
    "interactions": (
        "Grabisch M, Roubens M (1999). An axiomatic approach to the concept of interaction among players in "
        "cooperative games. International Journal of Game Theory 28, 547-565."
    ),
    "shapiq": (
        "Muschalik M, et al. (2024). shapiq: Shapley Interactions for Machine Learning. Advances in Neural "
        "Information Processing Systems 37."
    ),
    "Captum": (
        "Kokhlikyan N, et al. (2020). Captum: A unified and generic model interpretability library for "
        "PyTorch. arXiv:2009.07896."
    ),
    "bridge": (
        "Diaconis P (1988). Bayesian numerical analysis. In: Statistical Decision Theory and Related Topics "
        "IV, 163-175. Springer."
    ),
    "quadrature": (
        "O'Hagan A (1991). Bayes-Hermite quadrature. Journal of Statistical Planning and Inference 29, "
        "245-260."
    ),
    "surrogate": (
        "Theiler J, Eubank S, Longtin A, Galdrikian B, Farmer JD (1992). Testing for nonlinearity in time "
        "series: the method of surrogate data. Physica D 58, 77-94."
    ),
    "noise": (
        "Timmer J, König M (1995). On generating power law noise. Astronomy and Astrophysics 300, 707-710."
    ),
    "data": (
        "Erion G, Janizek JD, Sturmfels P, Lundberg SM, Lee SI (2021). Improving performance of deep "
        "learning models with axiomatic attribution priors and expected gradients. Nature Machine "
        "Intelligence 3, 620-631."
    ),
    "STFT": (
        "Griffin D, Lim J (1984). Signal estimation from modified short-time Fourier transform. IEEE "
        "Transactions on Acoustics, Speech, and Signal Processing 32, 236-243."
    ),
    "FilterBank": "Vetterli M, Kovačević J (1995). Wavelets and Subband Coding. Prentice Hall.",
    "Wavelet": "Daubechies I (1992). Ten Lectures on Wavelets. SIAM.",
    "Envelope": (
        "Randall RB, Antoni J (2011). Rolling element bearing diagnostics: a tutorial. Mechanical Systems "
        "and Signal Processing 25, 485-520."
    ),
    "Cepstrum": (
        "Bogert BP, Healy MJR, Tukey JW (1963). The quefrency alanysis of time series for echoes: cepstrum, "
        "pseudo-autocovariance, cross-cepstrum and saphe cracking. In: Proceedings of the Symposium on Time "
        "Series Analysis, 209-243. Wiley."
    ),
}

KEYS = {
    "FLEX": "grave2025",
    "IG": "sundararajan2017",
    "Shapley": "shapley1953",
    "interactions": "grabisch1999",
    "shapiq": "muschalik2024",
    "Captum": "kokhlikyan2020",
    "bridge": "diaconis1988",
    "quadrature": "ohagan1991",
    "surrogate": "theiler1992",
    "noise": "timmer1995",
    "data": "erion2021",
    "STFT": "griffin1984",
    "FilterBank": "vetterli1995",
    "Wavelet": "daubechies1992",
    "Envelope": "randall2011",
    "Cepstrum": "bogert1963",
}
"""Of the same references in `references.bib`."""


class Cited:
    """References in the order in which they are first cited."""

    def __init__(self) -> None:
        self.order: list[str] = []

    def __call__(self, key: str) -> int:
        if key not in self.order:
            self.order.append(key)
        return self.order.index(key) + 1

    def listed(self) -> str:
        return "\n".join(f"[{i}] {REFERENCES[key]}" for i, key in enumerate(self.order, start=1))

    def bibtex(self) -> str:
        """The same, as entries of BibTeX."""
        held = (files(__package__) / "references.bib").read_text(encoding="utf-8")
        entries = {
            text.partition("{")[2].partition(",")[0]: text.strip() for text in re.split(r"\n(?=@)", held)
        }
        return "\n\n".join(entries[KEYS[key]] for key in self.order) + "\n"
