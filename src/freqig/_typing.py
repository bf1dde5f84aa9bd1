"""Array annotations with shapes, such as ``Float[Tensor, "sample channel time"]``.

The annotations are jaxtyping's. They are checked where jaxtyping is in use already, as in the
tests, whose import hook has beartype check every call. Elsewhere they are documentation, and
freqig neither needs jaxtyping nor spends time on importing it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # To a static type checker the shape is a comment on the array's type.
    from typing import Annotated as Bool
    from typing import Annotated as Complex
    from typing import Annotated as Float
    from typing import Annotated as Inexact
    from typing import Annotated as Int
    from typing import Annotated as Num
    from typing import Annotated as Shaped
elif "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Complex, Float, Inexact, Int, Num, Shaped
else:

    class _Unchecked:
        """Gives ``Float[Tensor, "time"]`` as the plain ``Tensor``, whatever the shape says."""

        def __class_getitem__(cls, item: tuple[object, str]) -> object:
            return item[0]

    Bool = Complex = Float = Inexact = Int = Num = Shaped = _Unchecked

__all__ = ["Bool", "Complex", "Float", "Inexact", "Int", "Num", "Shaped"]
