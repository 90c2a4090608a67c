"""Asking processes of ours how they are, never through a proxy that the environment names for the world outside."""

from __future__ import annotations

import requests

NoAnswer = requests.RequestException
"""There was no HTTP answer."""


def status(url: str, within: float) -> int:
    """The HTTP status that `url` answers within `within` seconds; raises NoAnswer."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=within).status_code


def ready(url: str, within: float) -> bool:
    """Whether `url` answers within `within` seconds that all is well; not yet is no error."""
    try:
        return well(status(url, within))
    except NoAnswer:
        return False


def well(status: int) -> bool:
    """Whether a status means that all is well."""
    return 200 <= status < 300  # noqa: PLR2004 - HTTP's own
