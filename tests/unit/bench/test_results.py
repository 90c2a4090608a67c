from __future__ import annotations

from pathlib import Path

from rich.table import Table

from bench.results import keep


def _table(word: str) -> Table:
    table = Table("measured")
    table.add_row(word)
    return table


def test_a_measurement_replaces_its_own_section_alone(tmp_path: Path) -> None:
    """Measuring again renews the section of that name and leaves every other as it was."""
    page = tmp_path / "results.md"
    keep("webhooks", "bench webhooks", "a load.", _table("first"), page=page)
    keep("sync", "bench sync", "a shop.", _table("second"), page=page)
    before = page.read_text(encoding="utf-8").split("## webhooks")[1]
    keep("sync", "bench sync", "a shop.", _table("third"), page=page)
    text = page.read_text(encoding="utf-8")
    assert text.split("## webhooks")[1] == before
    assert text.startswith("# The last measurements\n\n## sync\n\n`bench sync` on ")
    assert "third" in text
    assert "second" not in text
    assert text.count("## ") == 2


def test_the_page_in_the_tree_has_the_shape_that_is_written() -> None:
    """The committed page begins like a written one and has its figures in named sections."""
    text = (Path(__file__).parents[3] / "bench" / "results.md").read_text(encoding="utf-8")
    assert text.startswith("# The last measurements\n\n## ")
    assert "## webhooks\n" in text
