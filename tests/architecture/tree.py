"""The tracked tree as the architecture tests see it: files, syntax trees, names."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("services", "shared")


NOT_OURS = {".venv", ".git", "var", "node_modules", "secrets", "dist", "__pycache__", ".hypothesis"}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is tracked or about to be, relative to the root; without git, whatever looks like ours."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split(
            "\0"
        )
    else:
        listed = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    ours = sorted({Path(name) for name in listed if name and not NOT_OURS & set(Path(name).parts)})
    return tuple(path for path in ours if (ROOT / path).is_file() and "_cache" not in path.parts[0])


def python_files(*folders: str) -> list[Path]:
    """The Python files below `folders` (default: the code that ships)."""
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in (folders or CODE)]


@cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of a file given relative to the root."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method in a file, nested ones too."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported_names(path: Path) -> dict[str, str]:
    """What each imported name in a file stands for: `{"now": "datetime.now", "clock": "shared.clock"}`."""
    names: dict[str, str] = {}
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


@cache
def dotted_uses(path: Path) -> frozenset[str]:
    """Every dotted name used in a file, its first part resolved: `{"os.environ", "time.time", …}`."""
    names = imported_names(path)
    uses: set[str] = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node).partition(".")
            uses.add(f"{names.get(first, first)}{'.' * bool(rest)}{rest}")
    return frozenset(uses)
