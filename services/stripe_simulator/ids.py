"""Ids that look like Stripe's."""

from __future__ import annotations

import random
import string
from typing import Final

_ALPHABET: Final = string.ascii_letters + string.digits
_SYSTEM: Final = random.SystemRandom()
LENGTHS: Final = {"prod": 14, "evt": 24, "cs_test": 58, "pi": 24, "req": 14, "we": 24, "whsec": 32}
USUAL_LENGTH: Final = 24


def new(prefix: str) -> str:
    """A fresh id, `prod_NffrFeUfNV2Hib` for the prefix `prod`."""
    length = LENGTHS.get(prefix, USUAL_LENGTH)
    return f"{prefix}_{''.join(_SYSTEM.choices(_ALPHABET, k=length))}"
