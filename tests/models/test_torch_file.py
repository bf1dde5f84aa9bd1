"""Saved torch programs: loaded only when trusted."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from freqig.models import as_model

from .networks import expected, gradient


def net() -> nn.Module:
    torch.manual_seed(0)
    body = [nn.Conv1d(2, 4, 5), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.AdaptiveAvgPool1d(1)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(4, 3)).eval()


def check(path: str, n: int) -> None:
    with pytest.raises(PermissionError, match="trust=True"):
        as_model(path)
    model, x = as_model(path, trust=True), torch.randn(n, 2, 30)
    y, slope = expected(net(), x)
    torch.testing.assert_close(model.outputs(x, ()), y)
    torch.testing.assert_close(gradient(model, x), slope)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", [torch.jit.script, lambda m: torch.jit.trace(m, torch.ones(1, 2, 30))])
def test_torchscript(how, tmp_path) -> None:
    path = str(tmp_path / "net.pt")
    how(net()).save(path)
    check(path, 5)


@pytest.mark.parametrize("n", [1, 4, 9])
@pytest.mark.parametrize("free", [True, False])
def test_exported_programs_of_any_batch(free: bool, n: int, tmp_path) -> None:
    path = str(tmp_path / "net.pt2")
    shapes = ({0: torch.export.Dim("batch")},) if free else None
    torch.export.save(torch.export.export(net(), (torch.ones(4, 2, 30),), dynamic_shapes=shapes), path)
    check(path, n)


def test_weights_alone_are_refused_with_the_recipe(tmp_path) -> None:
    torch.save(net().state_dict(), tmp_path / "weights.pt")
    torch.save(net(), tmp_path / "pickle.pt")
    for name in ("weights.pt", "pickle.pt"):
        for trust in (False, True):
            with pytest.raises(ValueError, match="weights_only=True"):
                as_model(tmp_path / name, trust=trust)
    fresh = net()
    fresh.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
