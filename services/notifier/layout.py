"""Filling the templates of mails: what is shown as plain text and as HTML with its styles in place."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXT_WIDTH: Final = 76


def fill(name: str, shown: Mapping[str, object]) -> tuple[str, str]:
    """The text and the HTML of the templates `name`."""
    text = _environment().get_template(f"{name}.txt.j2").render(shown)
    html = _environment().get_template(f"{name}.html.j2").render(shown)
    inlined = css_inline.inline(html, keep_at_rules=True, load_remote_stylesheets=False)
    return text.strip() + "\n", inlined


def wrapped(text: str, indent: str = "") -> str:
    """`text` in lines that any mail client shows whole."""
    return textwrap.fill(
        text, TEXT_WIDTH, initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrapped"] = wrapped
    return environment
