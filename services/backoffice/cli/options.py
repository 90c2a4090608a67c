"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Final

import typer

FOUND_LATER: Final = "The queue does not answer; the reconciler finds what changed within a minute or so."
"""What people are told where the stock worker could not be."""

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]
