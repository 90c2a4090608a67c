"""Turns committed alerts into mail: claim, send, record."""
