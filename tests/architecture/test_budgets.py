from __future__ import annotations

import ast

import shared
from tests.architecture.tree import ROOT, functions, python_files, syntax

MODULE_LINES = 250
FUNCTION_LINES = 40


def test_every_module_fits_on_a_few_screens() -> None:
    """No module that ships is longer than 250 lines."""
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in python_files()}
    assert {path: length for path, length in lengths.items() if length > MODULE_LINES} == {}


def test_every_function_fits_on_one_screen() -> None:
    """No function that ships is longer than 40 lines."""
    lengths = {
        f"{path}:{function.lineno} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in python_files()
        for function in functions(path)
    }
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES} == {}


def test_every_module_says_what_lives_there() -> None:
    """Every module that ships has a docstring."""
    assert [str(path) for path in python_files() if not ast.get_docstring(syntax(path))] == []


def test_every_test_says_what_it_shows() -> None:
    """Every test's docstring states one behaviour in one sentence."""
    tests = [
        (f"{path}:{function.lineno} {function.name}", ast.get_docstring(function) or "")
        for path in python_files("tests")
        if path.name.startswith("test_")
        for function in functions(path)
        if function.name.startswith("test_")
    ]
    assert tests
    assert [name for name, text in tests if not text.split("\n\n")[0].rstrip().endswith(".")] == []


def test_the_imported_package_is_ours() -> None:
    """The generic name `shared` is this tree's package, not one that happens to be installed."""
    assert shared.__file__ == str(ROOT / "shared" / "__init__.py")
