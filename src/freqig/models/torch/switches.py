"""Settings of PyTorch that hold for the whole process, changed while a model is explained on a GPU."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from .borrowed import interrupts_held


class Switch:
    """A setting at another value for as long as anybody needs it.

    Explanations in several threads overlap: the first one changes the setting, the last gives it back.

    Parameters
    ----------
    read : callable
        Gives the setting as it is.
    write : callable
        Takes what `read` gave.
    wanted : callable
        Takes what `read` gave, and gives what it is to be.

    Examples
    --------
    >>> settings = {"loud": True}
    >>> quiet = Switch(lambda: settings["loud"], lambda value: settings.update(loud=value), lambda _: False)
    >>> with quiet.on(), quiet.on():
    ...     print(settings)
    {'loud': False}
    >>> settings
    {'loud': True}
    """

    def __init__(
        self, read: Callable[[], Any], write: Callable[[Any], None], wanted: Callable[[Any], Any]
    ) -> None:
        self._read, self._write, self._wanted = read, write, wanted
        self._lock, self._users = threading.Lock(), 0
        self._before: Any = None

    @contextmanager
    def on(self) -> Iterator[None]:
        """Context in which the setting has that value."""
        with interrupts_held(), self._lock:
            if self._users == 0:
                self._before = self._read()
                self._write(self._wanted(self._before))
            self._users += 1
        try:
            yield
        finally:
            with interrupts_held(), self._lock:
                self._users -= 1
                if self._users == 0:
                    self._write(self._before)


def _cudnn(enabled: bool) -> None:
    torch.backends.cudnn.enabled = enabled


WITHOUT_CUDNN = Switch(lambda: bool(torch.backends.cudnn.enabled), _cudnn, lambda _: False)
"""cuDNN has no backward pass for recurrent layers in eval. Its other settings stay: `cudnn.flags` would set
all of them."""


def _backends() -> tuple[Any, Any]:
    """What holds the settings; `Any`, since the names in them depend on the version of PyTorch."""
    return torch.backends.cudnn, torch.backends.cuda.matmul


@contextmanager
def _advice_unsaid() -> Iterator[None]:
    """PyTorch 2.9 advises whoever reads or writes the older names to use the newer ones, once."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Please use the new API settings", UserWarning)
        yield


@_advice_unsaid()
def _precision() -> tuple[bool, Any, Any]:
    cudnn, matmul = _backends()
    try:
        return True, cudnn.allow_tf32, matmul.allow_tf32
    except RuntimeError:
        # Somebody has used the newer names of these settings, with which the older ones do not mix.
        return False, cudnn.conv.fp32_precision, matmul.fp32_precision


@_advice_unsaid()
def _set_precision(state: tuple[bool, Any, Any]) -> None:
    older, convolutions, products = state
    cudnn, matmul = _backends()
    if older:
        cudnn.allow_tf32, matmul.allow_tf32 = convolutions, products
    else:
        cudnn.conv.fp32_precision, matmul.fp32_precision = convolutions, products


IN_FULL_PRECISION = Switch(
    _precision, _set_precision, lambda state: (True, False, False) if state[0] else (False, "ieee", "ieee")
)
"""Products and convolutions in float32 as it is. In the ten bits of it that cuDNN takes by default F is so
noisy that paths look rough, and gradients not like those of F."""
