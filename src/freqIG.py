"""The import name under which freqIG 0.1 was documented: ``freqIG.attribute(...)``.

The package is `freqig`, in lower case; its `attribute` is this one. The spelling is kept so that
code written after the documentation of freqIG 0.1 runs unchanged.

Examples
--------
>>> import freqig
>>> import freqIG
>>> freqIG.attribute is freqig.attribute
True
"""

from freqig import attribute

__all__ = ["attribute"]
