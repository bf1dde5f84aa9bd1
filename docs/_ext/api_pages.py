"""Pages of the reference, made of what the package says is public: nothing of it can be forgotten."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import freqig

GROUPS = {
    "Explain": ("Explainer", "attribute", "Shapley", "slide", "check", "per_sample", "shared"),
    "Read recordings": ("read",),
    "Look, sum, pass on": (
        *("summary", "bands", "peaks", "resynthesize", "methods_text"),
        *("to_dataframe", "to_mne", "to_shap", "to_wav"),
    ),
    "Groups, cohorts, quality": ("summarize", "compare", "evaluate", "open_cohort"),
    "The spectrum as a layer": ("FrequencyModel", "InverseRFFT"),
    "Machines": ("bearing_frequencies", "bands_around"),
}
"""What belongs together, by what one does with it. What is named nowhere here goes to "Further"."""

INTRODUCTION = """\
Functions and classes
=====================

Everything that ``freqig`` exports, from its docstrings; their examples run in the tests. Below each
function stand the tutorials that use it.

"""


def public(module: ModuleType) -> list[str]:
    """Public names of a namespace: its ``__all__``, else what it defines itself."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    )


def sections() -> tuple[dict[str, list[str]], list[str]]:
    """Names by section of the reference, and namespaces, which have a page each."""
    values: dict[str, Any] = {name: getattr(freqig, name) for name in freqig.__all__ if name[0] != "_"}
    namespaces = [name for name, value in values.items() if inspect.ismodule(value)]
    domains = [
        name
        for name, value in values.items()
        if inspect.isclass(value) and issubclass(value, freqig.Domain | freqig.NonlinearDomain)
    ]
    found = {title: [name for name in names if name in values] for title, names in GROUPS.items()}
    found["Domains"] = sorted(domains, key=str.lower)
    placed = {name for names in found.values() for name in names}
    found["Further"] = [name for name in values if name not in placed and name not in namespaces]
    return {title: names for title, names in found.items() if names}, sorted(namespaces)


def table(names: list[str], module: str) -> str:
    """A summary of objects, each of which gets a page."""
    rows = "".join(f"   {name}\n" for name in names)
    options = "   :toctree: generated\n   :nosignatures:\n"
    return f".. currentmodule:: {module}\n\n.. autosummary::\n{options}\n{rows}\n"


def heading(title: str, line: str) -> str:
    """A title, underlined."""
    return f"{title}\n{line * len(title)}\n\n"


def write(path: Path, text: str) -> None:
    """Write a page only where it changed, so that a second build reads it no second time."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def namespace_page(name: str) -> str:
    """The page of one namespace: what it says of itself, and what is in it."""
    module = getattr(freqig, name)
    names = public(module)
    # What is public in the package as well has its page there.
    known = [one for one in names if getattr(freqig, one, None) is getattr(module, one)]
    own = [one for one in names if one not in known]
    text = heading(f"freqig.{name}", "=") + f".. automodule:: freqig.{name}\n   :no-members:\n\n"
    text += table(own, f"freqig.{name}")
    return text + "".join(f"Also here: :py:obj:`freqig.{one}`.\n" for one in known)


def write_pages(app: Any, _config: Any) -> None:
    """Write the pages before Sphinx looks for them."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    groups, namespaces = sections()
    text = INTRODUCTION
    for title, names in groups.items():
        text += heading(title, "-") + table(names, "freqig")
    text += heading("Namespaces", "-") + ".. toctree::\n   :maxdepth: 1\n\n"
    text += "".join(f"   {name}\n" for name in namespaces)
    write(folder / "index.rst", text)
    for name in namespaces:
        write(folder / f"{name}.rst", namespace_page(name))


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True}
