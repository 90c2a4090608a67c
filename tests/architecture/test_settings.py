from __future__ import annotations

import importlib
import re

from shared.settings import Common
from tests.architecture.tree import ROOT, python_files, syntax


def _settings() -> set[str]:
    for path in python_files():
        if "Common" in (ROOT / path).read_text() or path.name == "settings.py":
            assert syntax(path)
            importlib.import_module(".".join(path.with_suffix("").parts))
    return {field.upper() for settings in _descendants(Common) for field in settings.model_fields}


def _descendants(settings: type[Common]) -> set[type[Common]]:
    below = set(settings.__subclasses__())
    return {settings} | {deeper for child in below for deeper in _descendants(child)}


def test_every_setting_has_a_line_in_the_example_and_no_line_is_dead() -> None:
    """`.env.example` lists exactly the settings that some process reads."""
    lines = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(_settings() - set(lines)) == []
    assert sorted(set(lines) - _settings()) == []
    assert len(lines) == len(set(lines))


def test_every_setting_is_explained() -> None:
    """`docs/settings.md` has a row for exactly the settings that some process reads."""
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = {
        name
        for row in re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", row)
    }
    assert sorted(_settings() - rows) == []
    assert sorted(rows - _settings()) == []
