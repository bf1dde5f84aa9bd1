"""Passes bad values for every parameter, and prints those that no error with its name refuses.

Run on its own, without the checks of annotations that the tests have: `python tests/bad_arguments.py`; with
one value in four for each parameter, as the tests do, `... 4`; for some parameters, `... 1 =Occlusion`.
"""

from __future__ import annotations

import os
import sys

from bad_calls import CALLS, FOLDER
from bad_methods import METHODS, OTHERS
from bad_values import USES, report

if __name__ == "__main__":
    each = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    os.chdir(FOLDER)
    uses = {**USES, **CALLS, **METHODS, **OTHERS}
    report({name: use for name, use in uses.items() if part in name}, each)
