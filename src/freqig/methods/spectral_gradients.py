"""Spectral gradients: the path on which bands enter one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .._check import check_choice, check_draws
from .._tensor_check import widest
from ..chunks import Chunks
from ..domains import RFFT, Domain
from ..objective.paths import Paths
from ..path.rules import gauss_legendre
from ..result.attributions import Attributions
from ..signals.axes import Axes
from .explaining import Comparator, words
from .frame import Frame
from .gradients import refuse_not_finite
from .how import How

ORDERS = ("rising", "falling")


@dataclass(frozen=True)
class BandsInOrder(How):
    """Gradients along a path with a corner behind every band.

    Parameters
    ----------
    bands : int
        Pieces of the path.
    n_steps : int
        Gauss-Legendre nodes on each piece.
    order : {"rising", "falling"}
        Which frequencies enter first.
    """

    bands: int
    n_steps: int
    order: str

    engine = "spectral_gradients"
    title = "spectral gradients, a path of bands in order"
    adds_up = True
    meaning = "what a coefficient adds to the output as its band enters, after the bands before it"

    @property
    def n_least(self) -> int:
        return self.bands * self.n_steps

    def allowed(self, domains: Sequence[Domain]) -> None:
        super().allowed(domains)
        if not all(isinstance(domain, RFFT) for domain in domains):
            raise ValueError(
                f"domains must be freqig.RFFT() for {self.title}, as bands of the whole series enter, got "
                f"{', '.join(map(repr, domains))}"
            )

    def explain(self, paths: Paths, axes: Axes, domains: Sequence[Domain], chunks: Chunks) -> Attributions:
        chunks = chunks.at_most(chunks.memory.n_points(paths.n_targets * paths.n_features))
        values, sums, count = [], [], 0
        for domain in domains:
            found, each = self._along(Frame.of(paths, axes, domain), paths, chunks)
            values.append(found)
            sums.append(
                torch.stack([found.double().flatten(2).sum(-1), found.double().abs().flatten(2).sum(-1)])
            )
            count += each
        return self.told(paths, domains, values, torch.full((len(paths),), count), sums[0])

    def _along(self, frame: Frame, paths: Paths, chunks: Chunks) -> tuple[Tensor, int]:
        device = paths.x.device
        (part,) = frame.free
        size = part.shape[-1]
        pieces = min(self.bands, size)
        band = torch.arange(size, device=device) * pieces // size
        if self.order == "falling":
            band = pieces - 1 - band
        band = band.expand(part.shape[1:]).flatten()
        rule = gauss_legendre(self.n_steps)
        nodes, weights = (torch.tensor(one, device=device) for one in (rule.nodes, rule.weights))
        total = torch.zeros(len(paths), paths.n_targets, frame.count, dtype=widest(device), device=device)

        def add(piece: slice) -> None:
            number = torch.arange(piece.start, piece.stop, device=device)
            rows, place = number % len(paths), number // len(paths)
            entering, node = place // self.n_steps, place % self.n_steps
            now = (band == entering[:, None]).to(part.real.dtype)
            masks = (band < entering[:, None]) + now * nodes[node, None].to(now.dtype)
            _, gradients = paths.objective.value_and_gradient(frame.points(masks, rows), rows)
            refuse_not_finite(gradients, rows, paths)
            for t, gradient in enumerate(gradients.unbind(1)):
                slopes = (frame.slopes(gradient, rows) * now).to(total.dtype)
                total[:, t].index_add_(0, rows, slopes * weights[node, None].to(total.dtype))

        chunks.run(len(paths) * pieces * self.n_steps, add)
        return frame.placed(total), pieces * self.n_steps


class SpectralGradients(Comparator):
    """Integrated gradients along a path on which bands of the spectrum enter one after another.

    From the baseline the path goes straight to the signal with the lowest band, from there to the one with
    the two lowest, and so on up to x. While a band enters, the integral of Re(conj(c_k) · (S*∇F)_k) goes to
    its coefficients. Pieces meet end to end, so that attributions add up to F(x) - F(x'), with a
    completeness gap from the nodes alone. What bands do together goes to the one that enters last, whatever
    it did: compare both orders.

    Parameters
    ----------
    model : object
        Whatever `freqig.Explainer` takes.
    bands : int, default 10
        Bands of equally many bins, at most as many as there are.
    n_steps : int, default 8
        Gauss-Legendre nodes on each piece.
    order : {"rising", "falling"}, default "rising"
        Whether low frequencies enter first, or high ones.
    tol : float, default 0.01
        Completeness gap, relative, up to which a sample is `converged`.
    fs, domains, baseline, output, unit, classes, output_key, class_axis, probabilities, time_axis, layout, \
dtype, device, trust, progress, batch_independent, memory : optional
        As of `freqig.Explainer`; `domains` must be `RFFT()`.

    References
    ----------
    A path method in the sense of Sundararajan, Taly, Yan: Axiomatic attribution for deep networks, ICML 2017,
    section 4; coarse before fine as in Kim, Lim, Lee, Choi: Spectral integrated gradients, 2026,
    arXiv:2605.19607, with bands of the Fourier transform for singular vectors.

    Examples
    --------
    >>> import torch, freqig
    >>> x = torch.sin(2 * torch.pi * 5 * torch.arange(64) / 64)[None]
    >>> result = freqig.methods.SpectralGradients(lambda x: (x**2).sum(1), fs=64)(x, target=0)
    >>> float(result.rfft.idxmax("frequency")[0]), bool(result.converged.all())
    (5.0, True)
    """

    @words
    def __init__(
        self,
        model: Any,
        *,
        bands: int = 10,
        n_steps: int = 8,
        order: str = "rising",
        tol: float = 0.01,
        **shared: Any,
    ) -> None:
        how = BandsInOrder(
            check_draws(bands, "bands"), check_draws(n_steps, "n_steps"), check_choice(order, "order", ORDERS)
        )
        self.settled(model, how, tol=tol, **shared)
