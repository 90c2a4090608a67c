"""The picture in the weekly report: units in stock over twelve weeks, and units sold each day.

It imports matplotlib, which takes a second and some memory: import this module only where a picture is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.dates import DateFormatter, WeekdayLocator
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from shared.weekly_report import Day

SIZE: Final = (5.6, 3.2)
"""Inches, at 200 dots each: twice the width of the mail's column."""
STOCK, SOLD, WORDS, LINES = "#3b82f6", "#f59e0b", "#7c8594", "#9ca3af"
"""Colours that can be read on white and on near black, for the background is transparent."""


def draw(course: Sequence[Day]) -> bytes:
    """A PNG; `course` has at least one day."""
    figure: Any = Figure(figsize=SIZE, dpi=200, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    days = [day.day for day in course]
    stock = [day.stock for day in course]
    above.fill_between(days, stock, step="post", color=STOCK, alpha=0.18, linewidth=0)
    above.step(days, stock, where="post", color=STOCK, linewidth=1.6)
    below.bar(days, [day.sold for day in course], color=SOLD, width=0.8)
    for axes, title in ((above, "Units in stock"), (below, "Units sold each day")):
        axes.set_title(title, loc="left", fontsize=11, color=WORDS, fontweight="bold")
        _tidy(axes)
    written = io.BytesIO()
    figure.savefig(written, format="png", transparent=True)
    return written.getvalue()


def _tidy(axes: Any) -> None:  # noqa: ANN401 - matplotlib's axes
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_major_locator(WeekdayLocator(byweekday=0, interval=3))
    axes.xaxis.set_major_formatter(DateFormatter("%-d %b"))
    axes.grid(axis="y", color=LINES, alpha=0.3, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=10, colors=WORDS)
    axes.tick_params(axis="x", pad=7)
    for side in axes.spines.values():
        side.set_visible(False)
