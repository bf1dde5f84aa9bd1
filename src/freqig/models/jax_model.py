"""Models of JAX: functions, Equinox modules, Flax (linen bound or applied, nnx)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from .foreign import ForeignModel, Pullback, check_device, leaves, rebuild


class JaxModel(ForeignModel):
    """A function of JAX arrays, differentiated by `jax.vjp`.

    Arrays are copied on the way in and out: JAX arrays are immutable, and a DLPack round trip
    without a copy would let an in-place operation of PyTorch change them.

    Parameters
    ----------
    function : callable
        Takes arrays of shape (P, *shape) and the further arguments, returns an array, tuple or
        dict of arrays with P first. Must be pure, as `jax.vjp` asks.
    dtype : torch.dtype, optional
        Dtype of the points handed to the function; float64 by default where `jax_enable_x64` is
        set, else float32.
    name : str, optional
        What the attributes of results call the model.
    owner : object, optional
        Pytree that holds the weights.

    Raises
    ------
    ValueError
        If float64 is asked for where JAX would round it.

    Examples
    --------
    >>> import pytest
    >>> jnp = pytest.importorskip("jax.numpy")
    >>> model = JaxModel(lambda x: jnp.tanh(x).sum(-1))
    >>> model.outputs(torch.zeros(2, 1, 5), ()).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        function: Callable[..., Any],
        dtype: torch.dtype | None = None,
        name: str | None = None,
        owner: Any = None,
    ) -> None:
        jax = _jax()
        wide = jax.config.jax_enable_x64
        if dtype == torch.float64 and not wide:
            raise ValueError(
                "dtype=torch.float64 needs jax.config.update('jax_enable_x64', True), without which "
                "JAX rounds to float32 silently"
            )
        self.function = function
        self.dtype = dtype or (torch.float64 if wide else torch.float32)
        self.device = torch.device("cpu")
        self.description = {
            "framework": f"jax {jax.__version__}",
            "class": name or str(getattr(function, "__qualname__", type(function).__qualname__)),
        }
        self._owner = owner

    def vjp(self, inputs: tuple[Tensor, ...], extra: tuple[Any, ...]) -> tuple[Any, Pullback]:
        import jax
        import jax.numpy as jnp

        arguments = [to_jax(e) if isinstance(e, Tensor) else e for e in extra]
        with _in_full_precision():
            raw, back = jax.vjp(lambda *x: self.function(*x, *arguments), *map(to_jax, inputs))
        arrays = leaves(raw)
        structure = jax.tree.structure(raw)
        # jax.tree sorts the keys of dicts, `leaves` keeps their order.
        order = jax.tree.leaves(rebuild(raw, iter(range(len(arrays)))))

        def pullback(cotangents: list[Tensor | None]) -> list[Tensor]:
            # JAX wants the cotangent of an integer output in its own dtype float0.
            given = [
                np.zeros(array.shape, jax.dtypes.float0)
                if cotangent is None
                else to_jax(cotangent).astype(jnp.result_type(array))
                for array, cotangent in zip(arrays, cotangents, strict=True)
            ]
            cotangent = jax.tree.unflatten(structure, [given[i] for i in order])
            with _in_full_precision():
                return [to_torch(gradient) for gradient in back(cotangent)]

        return rebuild(raw, iter([to_torch(array) for array in arrays])), pullback

    def weights(self) -> Iterable[np.ndarray]:
        import jax
        import jax.numpy as jnp

        arrays = (leaf for leaf in jax.tree.leaves(self._owner) if isinstance(leaf, (jax.Array, np.ndarray)))
        keys = jax.dtypes.prng_key
        return (np.asarray(array) for array in arrays if not jnp.issubdtype(array.dtype, keys))


def _in_full_precision() -> Any:
    """Context of products in float32 as it is: on GPUs and TPUs JAX takes ten bits of it or fewer."""
    # "highest" is the same, by a name that JAX 0.4.30 does not know.
    return _jax().default_matmul_precision("float32")


def adapt(model: Any, dtype: torch.dtype | None, device: torch.device | str | None) -> JaxModel:
    """Make a model of a function of JAX, an Equinox or a Flax module, or a partial of `apply`.

    An Equinox module takes one series, as Equinox has it, and is mapped over the batch; the others
    take the batch.

    Parameters
    ----------
    model : object
        Anything that is recognised as JAX's.
    dtype : torch.dtype, optional
        Dtype of the points.
    device : torch.device or str, optional
        Must be left out.

    Returns
    -------
    JaxModel
        The adapter.

    Raises
    ------
    ValueError
        For a Flax linen module without its variables, or if a device is given.
    """
    check_device(device, "JAX")
    kind = {f"{base.__module__}.{base.__qualname__}" for base in type(model).__mro__}
    name = type(model).__qualname__
    if isinstance(model, partial):
        owner = getattr(model.func, "__self__", None)
        name = name if owner is None else type(owner).__qualname__
        return JaxModel(model, dtype, name, (model.args, model.keywords))
    if "flax.linen.module.Module" in kind:
        if getattr(model, "scope", None) is None:
            raise ValueError(
                f"model must come with its weights, but the Flax module {name} has none: pass "
                "functools.partial(module.apply, variables) or module.bind(variables), with the "
                "arguments that switch dropout and batch statistics to inference"
            )
        return JaxModel(model, dtype, name, model.variables)
    if "flax.nnx.module.Module" in kind or any(k.startswith("flax.nnx.") for k in kind):
        from flax import nnx

        # A copy in inference mode: the caller's module keeps its mode and statistics.
        graph, state = nnx.split(model)
        model = nnx.merge(graph, state)
        model.eval()
        return JaxModel(model, dtype, name, state)
    if "equinox._module._module.Module" in kind or any(k.startswith("equinox._module") for k in kind):
        import equinox

        model = equinox.nn.inference_mode(model)
        # filter_jit wraps functions of one series and of a batch; what it wraps is taken as it is.
        wrapped = "equinox._jit._JitWrapper" in kind
        return JaxModel(model if wrapped else _batched(model), dtype, name, model)
    return JaxModel(model, dtype, name if name not in ("PjitFunction", "function") else None)


def _batched(function: Callable[..., Any]) -> Callable[..., Any]:
    import jax

    def batched(points: Any, *extra: Any) -> Any:
        axes = tuple(0 if isinstance(e, jax.Array) and e.ndim else None for e in extra)
        return jax.vmap(function, in_axes=(0, *axes))(points, *extra)

    return batched


def to_jax(tensor: Tensor) -> Any:
    """Copy a tensor to a JAX array on JAX's own device."""
    import jax
    import jax.numpy as jnp

    copied = jnp.array(jnp.from_dlpack(tensor.detach().cpu().contiguous()), copy=True)
    return copied if jax.default_backend() == "cpu" else jax.device_put(copied, jax.devices()[0])


def to_torch(array: Any) -> Tensor:
    """Copy a JAX array to a tensor."""
    import jax

    on_cpu = jax.device_put(array, jax.devices("cpu")[0])
    return from_dlpack(on_cpu).clone()


def _jax() -> Any:
    try:
        import jax
    except ImportError as error:
        raise ImportError("a JAX model needs JAX: pip install freqig[jax]") from error
    return jax
