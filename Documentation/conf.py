# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx: plain reStructuredText, with the theme that comes with Sphinx itself."""
import os
import re

with open(os.path.join(os.path.dirname(__file__), "../nft_bpfjit/main.c"),
          encoding="ascii") as main:
    release = re.search(r'^MODULE_VERSION\("(.*)"\);', main.read(), re.M)[1]

project = "nft_bpfjit"
copyright = "the nft_bpfjit maintainers"
version = release
extensions = []
exclude_patterns = ["bench", "man", "results"]
html_theme = "classic"
html_copy_source = False
highlight_language = "none"
