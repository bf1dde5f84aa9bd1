"""Own domains, and the check that refuses those which would lose a part of the signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from freqig.domains import RFFT, STFT, Domain, FilterBank, Time, check_inversion, ready
from freqig.domains.stretch import Stretch

from .every import EVERY, admitted, made, tensor
from .examples import Example


def checked(domain: Domain, n: int = 24, dtype: torch.dtype = torch.float64) -> None:
    x = tensor(3, 2, n, dtype=dtype)
    check_inversion(domain, x, torch.zeros_like(x))


class Own(Domain):
    """A domain as a user writes it: differences to the sample before."""

    def analyze(self, x: Tensor) -> Tensor:
        return torch.diff(x, prepend=torch.zeros_like(x[..., :1]))

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return c.cumsum(-1)

    def coords(self, n: int, fs: float | None) -> Any:
        return {"step": np.arange(n)}


class Affine(Own):
    """Removes a constant and puts it back."""

    def analyze(self, x: Tensor) -> Tensor:
        return (x - 3.0) * 2

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return c / 2 + 3.0


class Lossy(Own):
    """Drops the highest frequencies, and so is no inversion."""

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        spectrum = torch.fft.rfft(c.cumsum(-1))
        keep = torch.arange(spectrum.shape[-1]) < spectrum.shape[-1] - 1
        return torch.fft.irfft(spectrum * keep, n)


class OnlyOnSmooth(RFFT):
    """Right for slow signals only: a check on smooth data would let it pass."""

    def analyze(self, x: Tensor) -> Tensor:
        spectrum = torch.fft.rfft(x)
        return torch.cat([spectrum[..., :5], torch.zeros_like(spectrum[..., 5:])], -1)


class OnlyOnTame(Own):
    """Right for small values only: a check on a probe of size one would let it pass."""

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return c.cumsum(-1).clamp(-50, 50)


class DoubledNyquist(RFFT):
    """Peers' slip: all frequencies counted twice."""

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        t, k = torch.arange(n, dtype=torch.float64), torch.arange(n // 2 + 1, dtype=torch.float64)
        wave = torch.polar(torch.ones(()).double(), 2 * torch.pi * k[:, None] * t / n)
        return 2 / n * (c @ wave).real


class TooLong(Own):
    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return torch.nn.functional.pad(c.cumsum(-1), (0, 1))


class ThroughNumPy(Own):
    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return torch.from_numpy(np.cumsum(c.detach().numpy(), -1))


class PartlyDetached(Own):
    def synthesize(self, c: Tensor, n: int) -> Tensor:
        c = torch.cat([c[..., :4], c[..., 4:].detach()], -1)
        return c.cumsum(-1)


class ScaledBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, c: Tensor) -> Tensor:
        return c.cumsum(-1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # A peer's slip: a backward off by the length and in sign.
        return -gradient.flip(-1).cumsum(-1).flip(-1) / gradient.shape[-1]


class OffByLength(Own):
    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return ScaledBackward.apply(c)


class Logarithmic(Own):
    """Inverts, but not linearly: attributions along the straight path would not add up."""

    def analyze(self, x: Tensor) -> Tensor:
        return torch.asinh(x)

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return torch.sinh(c)


class NotFinite(Own):
    """A stabilizer that blows up where the signal is zero."""

    def analyze(self, x: Tensor) -> Tensor:
        return x / (x.abs().round() * 0)


@pytest.mark.parametrize("domain", [Own(), Affine(), RFFT(), Time()], ids=repr)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_domains_that_invert_pass(domain: Domain, dtype: torch.dtype) -> None:
    checked(domain, dtype=dtype)
    x = tensor(2, 1, 9, dtype=dtype)
    assert ready([domain], x, x, 8.0)[0].name == domain.name


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        (Lossy(), r"'lossy' must invert, .* got 0\.\d+ for a random probe: use a transform"),
        (OnlyOnSmooth(), "'onlyonsmooth' must invert"),
        (DoubledNyquist(), "'doublednyquist' must invert"),
        (TooLong(), r"must give back signals of shape \(1, 2, 24\), got \(1, 2, 25\): cut them to n = 24"),
        (ThroughNumPy(), "must consist of PyTorch operations"),
        (PartlyDetached(), "must be differentiated by autograd as it computes"),
        (OffByLength(), "must be differentiated by autograd as it computes"),
        (Logarithmic(), "must"),
        (NotFinite(), "got nan"),
    ],
    ids=repr,
)
def test_domains_that_lose_something_are_refused(domain: Domain, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(domain)


def test_the_data_are_checked_as_well_as_the_probe() -> None:
    x = tensor(3, 1, 24)
    x[2] *= 100
    checked(OnlyOnTame())
    with pytest.raises(ValueError, match=r"got 0\.\d+ for samples 0 to 2"):
        check_inversion(OnlyOnTame(), x, torch.zeros_like(x))


def test_data_are_checked_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freqig.domains.check.BLOCK", 24)
    x = tensor(3, 1, 24)
    x[2] *= 100
    with pytest.raises(ValueError, match="for samples 2 to 2"):
        check_inversion(OnlyOnTame(), x, torch.zeros_like(x))


def test_tolerances_are_those_of_the_dtype() -> None:
    class Inexact(Own):
        error = 0.0

        def synthesize(self, c: Tensor, n: int) -> Tensor:
            return c.cumsum(-1) * (1 + self.error)

    inexact = Inexact()
    for error, dtype, passes in (
        (1e-10, torch.float64, True),
        (1e-8, torch.float64, False),
        (1e-6, torch.float32, True),
        (1e-4, torch.float32, False),
    ):
        inexact.error = error
        if passes:
            checked(inexact, dtype=dtype)
            continue
        with pytest.raises(ValueError, match=str(dtype).removeprefix("torch.")):
            checked(inexact, dtype=dtype)


class Bluestein(RFFT):
    """Fourier transforms of any length by a convolution with a chirp, whose float32 phases are coarse.

    Some processors have kernels of this accuracy for lengths with large prime factors.
    """

    broken = 1.0

    def analyze(self, x: Tensor) -> Tensor:
        n = x.shape[-1]
        k = torch.arange(n, dtype=x.dtype)
        phase = torch.pi * k.square() / n
        chirp = torch.complex(phase.cos(), -phase.sin())
        size = 1 << (2 * n - 1).bit_length()
        kernel = torch.zeros(size, dtype=chirp.dtype)
        kernel[:n], kernel[size - n + 1 :] = chirp.conj(), chirp.conj()[1:].flip(0)
        product = torch.fft.fft(x * chirp, size) * torch.fft.fft(kernel)
        return self.broken * (torch.fft.ifft(product)[..., :n] * chirp)[..., : n // 2 + 1]


def test_a_loss_that_is_rounding_passes() -> None:
    """Of awkward lengths more than 1e-5 is lost in float32, and nothing in float64."""
    n, domain = 2003, Bluestein()
    x = tensor(2, 1, n, dtype=torch.float32)
    back = domain.synthesize(domain.analyze(x), n)
    assert float((back - x).abs().max() / x.abs().max()) > 1e-5
    checked(domain, n, torch.float64)
    checked(domain, n, torch.float32)


@pytest.mark.parametrize("broken", [1 + 1e-4, 1 + 3e-5, 0.9])
def test_beside_rounding_a_loss_is_still_a_loss(broken: float) -> None:
    domain = Bluestein()
    domain.broken = broken
    with pytest.raises(ValueError, match="'bluestein' must invert"):
        checked(domain, 2003, torch.float32)


def test_too_much_rounding_is_refused_with_the_remedy() -> None:
    class Mixed(Own):
        """A change of basis that float32 cannot undo."""

        def analyze(self, x: Tensor) -> Tensor:
            return torch.cat([x, 1e5 * x + x.flip(-1)], -1)

        def synthesize(self, c: Tensor, n: int) -> Tensor:
            return (c[..., n:] - 1e5 * c[..., :n]).flip(-1)

    checked(Mixed(), dtype=torch.float64)
    with pytest.raises(ValueError, match=r"'mixed' must invert.*nothing is lost. Pass dtype=torch.float64"):
        checked(Mixed(), dtype=torch.float32)


def test_a_domain_of_one_dtype_only_keeps_its_own_error() -> None:
    class Single(Own):
        """Loses a thousandth, and cannot be asked in float64."""

        def analyze(self, x: Tensor) -> Tensor:
            return x @ (0.999 * torch.eye(x.shape[-1]))

        def synthesize(self, c: Tensor, n: int) -> Tensor:
            return c.clone()

    with pytest.raises(ValueError, match=r"'single' must invert.*use a transform with perfect"):
        checked(Single(), dtype=torch.float32)


@pytest.mark.parametrize("n", [144_198, 500_006, 20_011])
def test_awkward_lengths(n: int) -> None:
    checked(RFFT(), n, torch.float32)


@pytest.mark.parametrize("example", EVERY)
@pytest.mark.parametrize("n", [2_003, 2_310])
def test_awkward_lengths_in_every_domain(example: Example, n: int) -> None:
    x, drawn = (tensor(1, 2, n, seed=seed, dtype=torch.float32) for seed in (0, 1))
    made(example, x, admitted(example, x, drawn))


@pytest.mark.parametrize("example", EVERY)
@pytest.mark.parametrize("size", [1e-45, 1e-41, 1e-38, 1e-33])
def test_signals_below_the_normal_numbers_pass(example: Example, size: float) -> None:
    """What is lost there is no fault of the domain."""
    x = (size * tensor(3, 2, 40)).float()
    x[1] = tensor(2, 40).float()
    made(example, x, admitted(example, x, torch.zeros_like(x)))


class Checked(RFFT):
    """A spectrum that does not say that it always inverts."""


def test_signals_that_overflow_in_the_domain_are_told_so() -> None:
    x = 1e38 * tensor(1, 1, 400, dtype=torch.float32).clamp(-3, 3)
    with pytest.raises(ValueError, match=r"overflow float32, got a largest value of \de\+38 .*torch.float64"):
        check_inversion(Checked(), x, torch.zeros_like(x))
    x = 1e308 * tensor(1, 1, 400).clamp(-1, 1)
    with pytest.raises(ValueError, match=r"overflow float64, got .*e\+308 for samples 0 to 0: rescale"):
        check_inversion(Checked(), x, torch.zeros_like(x))


def test_constants_are_the_same_at_both_ends_and_drop_out() -> None:
    x, baseline, gradient = (tensor(2, 9, seed=seed) for seed in range(3))
    domain = Affine()
    c = domain.analyze_pair(x, baseline)
    torch.testing.assert_close(c, 2 * (x - baseline))
    values = domain.assemble(domain.products(c, gradient))
    torch.testing.assert_close(values, (x - baseline) * gradient)


def test_an_input_that_equals_its_baseline_passes() -> None:
    x = tensor(2, 3, 10)
    check_inversion(RFFT(), x, x)
    x[0], x[1, 0] = 0, 0
    check_inversion(RFFT(), x, torch.zeros_like(x))


@pytest.mark.parametrize("loss", [0.0, 1e-3])
def test_a_small_difference_of_large_ends_may_be_rounded(loss: float) -> None:
    """Of two analyses no more digits of the difference are left than their values have."""

    class Ends(Time):
        inverts = "checked"

        def analyze(self, x: Tensor) -> Tensor:
            # Three of it are the signal up to rounding.
            return x / 3

        def analyze_pair(self, x: Tensor, baseline: Tensor) -> Tensor:
            return (self.analyze(x) - self.analyze(baseline)) * (1 - loss)

        def synthesize(self, c: Tensor, n: int) -> Tensor:
            return c * 3

    baseline = 1e6 + tensor(2, 1, 16)
    x = baseline + 1e-3 * tensor(2, 1, 16, seed=1)
    if loss:
        with pytest.raises(ValueError, match=r"must invert, .*got 0\.001"):
            check_inversion(Ends(), x, baseline)
    else:
        check_inversion(Ends(), x, baseline)


def test_no_samples_pass() -> None:
    x = torch.zeros(0, 2, 10)
    assert len(ready([RFFT(), Own()], x, x, None)) == 2


def test_the_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    checked(RFFT())
    assert torch.equal(before, torch.get_rng_state())


def test_errors_of_a_users_domain_say_where_they_come_from() -> None:
    class Broken(Own):
        def analyze(self, x: Tensor) -> Tensor:
            raise IndexError("too few levels")

    with pytest.raises(IndexError, match=r"too few levels \[domain 'broken' on signals of shape \(2, 24\)\]"):
        checked(Broken())


def test_a_tuple_needs_an_assembly() -> None:
    class Pair(Own):
        def analyze(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x / 2, x / 2

        def synthesize(self, c: tuple[Tensor, Tensor], n: int) -> Tensor:
            return c[0] + c[1]

    checked(Pair())
    x = tensor(2, 5)
    assert [part.shape for part in Pair().parts(x, x)] == [x.shape, x.shape]
    with pytest.raises(TypeError, match=r"has 2 tensors of coefficients: it must define assemble"):
        Pair().attribution(x, x)


def test_coefficients_that_synthesis_ignores_get_nothing() -> None:
    class Redundant(Own):
        def analyze(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, x.square()

        def synthesize(self, c: tuple[Tensor, Tensor], n: int) -> Tensor:
            return c[0].clone()

    x = tensor(2, 5)
    used, ignored = Redundant().parts(x, x)
    torch.testing.assert_close(used, x.square())
    assert not ignored.any()


def test_names_default_to_the_class() -> None:
    assert Own().name == "own"
    assert Own(name="steps").name == "steps"
    assert Own(name="steps").dims(["step", "channel"]) == ("steps_step", "channel")
    assert Own().auxiliary(3, None) == {}


class Louder(FilterBank):
    """Its synthesis is another one than that which its parent knows the adjoint of."""

    def analyze(self, x: Tensor) -> Tensor:
        return super().analyze(x) / 2

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return 2 * super().synthesize(c, n)


class OtherFrames(STFT):
    def analyze(self, x: Tensor) -> Tensor:
        return 1j * super().analyze(x)

    def synthesize(self, c: Tensor, n: int) -> Tensor:
        return super().synthesize(-1j * c, n)


@pytest.mark.parametrize("domain", [Louder(), OtherFrames(0.2)])
def test_a_known_adjoint_is_not_that_of_another_synthesis(domain: Domain) -> None:
    x, g = tensor(2, 3, 50), tensor(2, 3, 50, seed=1)
    bound = domain.bind((3, 50), 100.0)
    checked(bound, 50)
    c = bound.analyze(x)
    (adjoint,) = bound.adjoint(c, g)
    assert float((c.conj() * adjoint).real.sum()) == pytest.approx(float((x * g).sum()))


@pytest.mark.parametrize("n", [1, 2, 31, 50])
@pytest.mark.parametrize(
    "domain",
    [RFFT(), FilterBank(), STFT(0.07), STFT(0.08, 0.03, "hamming"), STFT(0.01, 0.01, "boxcar")],
)
def test_known_adjoints_are_those_of_autograd(domain: Domain, n: int) -> None:
    x, g = tensor(2, 3, n), tensor(2, 3, n, seed=1)
    bound = domain.bind((3, n), 100.0)
    c = bound.analyze(x)
    (known,), (wanted,) = bound.adjoint(c, g), Domain.adjoint(bound, c, g)
    # The imaginary parts of DC and Nyquist are no coefficients: synthesis does not read them.
    torch.testing.assert_close(known, wanted, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("start", "length"), [(0, 1), (0, 9), (3, 4), (2, 7)])
def test_the_adjoint_of_a_stretch_is_that_of_autograd(start: int, length: int) -> None:
    x, g = tensor(2, 3, 9), tensor(2, 3, 9, seed=1)
    domain = Stretch(start, length)
    c = domain.analyze(x)
    torch.testing.assert_close(domain.adjoint(c, g), Domain.adjoint(domain, c, g), rtol=1e-11, atol=1e-12)
