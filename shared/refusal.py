"""What people are told where something they asked for can't be done."""

from __future__ import annotations


class Refused(Exception):
    """It can't be done as things are; the text says why and, where there is something, what to do instead."""
