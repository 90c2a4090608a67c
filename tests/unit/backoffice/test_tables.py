from __future__ import annotations

import pytest

from services.backoffice.cli import tables

EVENT = "evt_1OwQVXE7fjYQhJYg1LbWcXyz"
WHY = "Stripe answers 400 to what is asked of it, again and again"


def shown(capsys: pytest.CaptureFixture[str], count: int = 2) -> list[str]:
    """The lines of a table of so many messages."""
    made = tables.table("message", "attempts", "why", "", right=("attempts",))
    for _ in range(count):
        tables.add(made, EVENT, 8, WHY, "")
    tables.show(made)
    return capsys.readouterr().out.splitlines()


def test_what_reads_a_pipe_gets_a_row_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it is, so that `grep` finds the id and the reason on the same one."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert [line.split("  ")[0] for line in shown(capsys)] == ["message", EVENT, EVENT]
    assert all(WHY in line for line in shown(capsys)[1:])


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_no_id_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """It can be copied from a terminal of any usual width, and nothing is wider than that."""
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = shown(capsys)
    assert sum(EVENT in line for line in lines) == 2
    assert max(map(len, lines)) <= columns


def test_a_narrow_terminal_has_lines_for_each_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each begins with its column's name; what is empty is left out, and a gap parts the rows."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = [line.rstrip() for line in shown(capsys)]
    assert lines[:3] == [f"message   {EVENT}", "attempts  8", "why       Stripe answers 400 to what is"]
    assert lines.count("") == 1
    assert lines[lines.index("") + 1] == lines[0]


def test_an_empty_table_keeps_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is no record."""
    (head,) = shown(capsys, 0)
    assert head.split() == ["message", "attempts", "why"]
