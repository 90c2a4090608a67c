from __future__ import annotations

from html import unescape
from pathlib import Path

from services.notifier.preview import mails, write
from services.notifier.words import WORDS


def test_the_samples_show_every_kind(tmp_path: Path) -> None:
    """Whoever changes the words or templates sees each kind in both parts, and each kind of end."""
    written = write(tmp_path)
    assert len(written) == 2 * len(mails())
    every = unescape((tmp_path / "every-kind.html").read_text()) + (tmp_path / "every-kind.txt").read_text()
    over = (tmp_path / "over-now.txt").read_text()
    for words in WORDS.values():
        assert every.count(words.heading) >= 2
        assert words.over[1:] in over


def test_samples_show_what_the_code_tells(tmp_path: Path) -> None:
    """The samples hold what real alerts hold: causes with commands, reasons with counts, what to type of a refund."""
    write(tmp_path)
    text = " ".join((tmp_path / "every-kind.txt").read_text().split())
    for said in (
        "400 × ",
        "To mend it: `stocksync jobs run verify`",
        "To look at it: `stocksync audit`",
        "12: its webhook was not delivered",
        "booked up to 3 h 0 min late",
        "`stocksync refunds accept re_3QxZ1a`",
        "of webhooks the last came",
    ):
        assert said in text


def test_the_sample_of_the_report_has_its_picture(tmp_path: Path) -> None:
    """A browser shows it without a mail around it."""
    write(tmp_path)
    html = (tmp_path / "report.html").read_text()
    assert 'src="data:image/png;base64,' in html
    assert "cid:" not in html


def test_a_sample_begins_with_its_subject() -> None:
    """A flood's subject counts what it tells and what is over."""
    assert mails()["flood"].subject == "[stocksync] 400 low stock, 400 over now"
