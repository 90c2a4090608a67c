"""What to do where a server that a test needs is not installed."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str, how: str) -> NoReturn:
    """Skip with a loud line at home; fail where CI is set: a test that did not run proves nothing there."""
    line = f"{what} is missing, so nothing is tested against it. {how}"
    if os.environ.get("CI"):
        pytest.fail(line)
    pytest.skip(line)
