"""Models of JAX: functions, Equinox modules, Flax (linen bound or applied, nnx).

A plain Python function that computes with jax.numpy cannot be told from one that
computes with torch; wrap it in `from_jax`. Everything else is recognised.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .base import Raw
from .foreign import ForeignModel, Pullback, leaves, rebuild


class JaxModel(ForeignModel):
    """A function of JAX arrays, differentiated by ``jax.vjp``.

    Parameters
    ----------
    function : callable
        Takes an array of shape (P, \\*shape) and the further arguments, returns an
        array, tuple or dict of arrays with P first. Must be pure, as ``jax.vjp`` asks.
    dtype : torch.dtype, optional
        Of the points handed to the function. By default float64 where
        ``jax_enable_x64`` is set, else float32.
    name : str, optional
        What the result's attributes call the model.

    Notes
    -----
    Arrays are copied on the way in and out: JAX arrays are immutable, and a DLPack
    round trip without a copy would let an in-place torch operation change them.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        dtype: torch.dtype | None = None,
        name: str | None = None,
    ) -> None:
        jax = _jax()
        x64 = jax.config.jax_enable_x64
        if dtype == torch.float64 and not x64:
            raise ValueError(
                "dtype=torch.float64 needs jax.config.update('jax_enable_x64', True); "
                "without it JAX rounds to float32 silently"
            )
        self.function = function
        self.dtype = dtype or (torch.float64 if x64 else torch.float32)
        on_gpu = jax.default_backend() == "gpu" and torch.cuda.is_available()
        self.device = torch.device("cuda" if on_gpu else "cpu")
        self.description = {
            "framework": f"jax {jax.__version__}",
            "class": name or getattr(function, "__qualname__", type(function).__qualname__),
        }

    def vjp(self, points: Tensor, extra: tuple) -> tuple[Raw, Pullback]:
        """Run the function and return its outputs and its pullback."""
        import jax
        import jax.numpy as jnp
        import numpy as np

        arguments = [to_jax(e) if isinstance(e, Tensor) else e for e in extra]
        raw, back = jax.vjp(lambda x: self.function(x, *arguments), to_jax(points))
        arrays = leaves(raw)

        def pullback(cotangents: list[Tensor | None]) -> Tensor:
            # JAX wants the cotangent of an integer output in its own dtype float0.
            given = [
                np.zeros(array.shape, jax.dtypes.float0)
                if c is None
                else to_jax(c).astype(jnp.result_type(array))
                for array, c in zip(arrays, cotangents, strict=True)
            ]
            structure = jax.tree.structure(raw)
            # jax.tree sorts dict keys; `leaves` keeps their order. Go by position.
            order = jax.tree.leaves(rebuild(raw, iter(range(len(arrays)))))
            cotangent = jax.tree.unflatten(structure, [given[i] for i in order])
            return to_torch(back(cotangent)[0], points.device)

        return rebuild(raw, iter([to_torch(a, points.device) for a in arrays])), pullback


def from_jax(
    function: Callable[..., Any], *, dtype: torch.dtype | None = None, name: str | None = None
) -> JaxModel:
    """Make a model of a function that computes with JAX.

    Parameters
    ----------
    function : callable
        Pure function of a batch (P, \\*shape); a single-example function goes through
        ``jax.vmap`` first.
    dtype : torch.dtype, optional
        Of the points handed to the function.
    name : str, optional
        What the result's attributes call the model.

    Returns
    -------
    JaxModel

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> model = from_jax(lambda x: jnp.tanh(x).sum(-1))
    >>> model.outputs(torch.zeros(2, 1, 5), ()).shape
    torch.Size([2, 1])
    """
    return JaxModel(function, dtype, name)


def adapt(model: Any) -> JaxModel:
    """Make a model of a jitted function, Equinox or Flax module, or Flax partial.

    An Equinox module takes one example, as Equinox has it, and is mapped over the
    batch; a Flax module takes the batch.

    Parameters
    ----------
    model : object
        Anything the registry recognised as JAX's.

    Returns
    -------
    JaxModel

    Raises
    ------
    ValueError
        For a Flax linen module without its variables.
    """
    kind = {f"{c.__module__}.{c.__qualname__}" for c in type(model).__mro__}
    name = type(model).__qualname__
    if isinstance(model, partial):
        owner = getattr(model.func, "__self__", None)
        return JaxModel(model, name=name if owner is None else type(owner).__qualname__)
    if "flax.linen.module.Module" in kind and getattr(model, "scope", None) is None:
        raise ValueError(
            f"model is the Flax module {name} without its variables; pass "
            "functools.partial(module.apply, variables) or module.bind(variables), "
            "with the arguments that switch dropout and batch statistics to inference"
        )
    if "flax.nnx.module.Module" in kind:
        from flax import nnx

        # A copy in inference mode: the caller's module keeps its mode and statistics.
        model = nnx.merge(*nnx.split(model))
        model.eval()
    if "equinox._module._module.Module" in kind:
        import equinox

        model = equinox.nn.inference_mode(model)
        # Equinox modules take one example, by convention; filter_jit wraps either kind.
        if "equinox._jit._JitWrapper" not in kind:
            return JaxModel(_batched(model), name=name)
    return JaxModel(model, name=name if name != "PjitFunction" else None)


def _batched(function: Callable[..., Any]) -> Callable[..., Any]:
    import jax

    def batched(points: Any, *extra: Any) -> Any:
        axes = tuple(0 if isinstance(e, jax.Array) and e.ndim else None for e in extra)
        return jax.vmap(function, in_axes=(0, *axes))(points, *extra)

    return batched


def to_jax(tensor: Tensor) -> Any:
    """Copy a tensor to a JAX array."""
    import jax.numpy as jnp

    source = tensor.detach().contiguous()
    return jnp.array(jnp.from_dlpack(source), copy=True)


def to_torch(array: Any, device: torch.device) -> Tensor:
    """Copy a JAX array to a tensor on ``device``."""
    return torch.from_dlpack(array).clone().to(device)


def _jax() -> Any:
    try:
        import jax
    except ImportError as error:
        raise ImportError("a JAX model needs JAX: pip install freqig[jax]") from error
    return jax
