"""The site: Markdown and docstrings in, HTML out. `docs/README.md` has the command that builds it."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
# Models of the tutorials are small: more threads than one only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))

import named_elsewhere  # noqa: E402

import freqig  # noqa: E402
from freqig.errors import FreqigWarning  # noqa: E402

project = "freqig"
author = "freqig developers"
copyright = "freqig developers, MIT licence"  # noqa: A001
release = version = freqig.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "api_pages",
    "command_examples",
    "house_pages",
    "mathml",
    "named_elsewhere",
    "plain_docstrings",
]
exclude_patterns = ["README.md", "inventories/README.md"]
templates_path = ["_templates"]
default_role = "py:obj"

# Pages: Markdown that is readable where it lies, with formulas, and headings that can be linked to.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Docstrings. Classes list their methods themselves (`_templates`); signatures have types as text.
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
# Types of parameters are links where they are names of classes, and words otherwise.
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {
    # With a dot in front, which the role takes off again: a name that stands for itself is no alias.
    **{name: f".{name}" for name in named_elsewhere.classes(DOCS / "inventories" / "names.toml")},
    **{name: f".{name}" for name in ("xarray.Dataset", "xarray.DataArray", "pathlib.Path")},
    **{name: f"freqig.{name}" for name in ("Domain", "Explainer")},
    "Baseline": "freqig.baselines.Baseline",
}
# What the house asks of a docstring, beyond what ruff does. Not asked for: sections that would say
# nothing (extended summaries, "See Also" and "Returns" everywhere), infinitives, capitals after a colon, and
# parameters of methods whose base class describes them.
numpydoc_validation_checks = {
    "all",
    *("ES01", "EX01", "GL08", "PR01", "PR04", "PR08", "RT01", "RT02", "RT04", "SA01", "SA03", "SS05"),
}

# Tutorials run while the site is built, each in some ten seconds at most, and an error in one ends the build.
# `python -m sphinx -D plot_gallery=0` builds without running them.
# A tutorial that is warned has a fault, or catches the warning and shows it.
warnings.filterwarnings("error", category=FreqigWarning)
sphinx_gallery_conf = {
    "examples_dirs": ["../examples/tutorials"],
    "gallery_dirs": ["tutorials"],
    "filename_pattern": r"\.py$",
    "within_subsection_order": "tutorial_order.TutorialOrder",
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_",),
    "backreferences_dir": "api/backreferences",
    "doc_module": ("freqig",),
    "reference_url": {"freqig": None},
    "download_all_examples": False,
    "show_signature": False,
    # Its page asks the network for a script.
    "write_computation_times": False,
    "remove_config_comments": True,
}

bibtex_bibfiles = ["references.bib", "../src/freqig/exports/references.bib"]
bibtex_reference_style = "author_year"

# Inventories lie here, so that a build needs no network and always finds the same.
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", "inventories/python.inv"),
    "xarray": ("https://docs.xarray.dev/en/stable", "inventories/xarray.inv"),
    "click": ("https://click.palletsprojects.com/en/stable", "inventories/click.inv"),
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "freqig"
html_static_path = ["_static"]
html_css_files = ["house.css"]
html_show_sourcelink = False
# Pages without others below them.
html_sidebars = {name: [] for name in ("choose", "install", "results")}
html_theme_options = {
    "logo": {"text": "freqig"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher", "version-switcher"],
    "switcher": {
        "json_url": "_static/switcher.json",
        "version_match": "dev" if "dev" in release else release,
    },
    # The data are those of this build; whether other versions are where they say needs the network.
    "check_switcher": False,
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
