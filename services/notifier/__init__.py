"""Turns committed alerts into email."""
