"""Rate against limit over time, one panel a rule, as SVG written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

__all__ = ["draw"]

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 380, 120, 34, 46, 34
_BINS = 120
_STYLE = """
text { font: 11px system-ui, sans-serif; fill: #57606a }
.name { font-weight: 600; fill: #24292f }
.limit { stroke: #d1242f; stroke-dasharray: 5 3; fill: none; stroke-width: 1.2 }
.sent { stroke: #0969da; fill: none; stroke-width: 1.4 }
.axis { stroke: #8c959f; fill: none; stroke-width: 0.8 }
.refused { stroke: #d1242f; stroke-width: 1.2 }
.paper { fill: #ffffff }
"""


def draw(path: Path, runs: list[tuple[Any, Any]]) -> None:
    """Write the picture of some runs: pairs of a rule and its outcome."""
    lines = (len(runs) + 1) // 2
    width = 2 * (_LEFT + _WIDTH) + 20
    height = lines * (_HEIGHT + _GAP) + _TOP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Calls sent a second against the limit, for {len(runs)} server rules">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<line class="sent" x1="{_LEFT}" x2="{_LEFT + 20}" y1="14" y2="14"/>'
        f'<text x="{_LEFT + 26}" y="18">calls sent a second</text>'
        f'<line class="limit" x1="{_LEFT + 160}" x2="{_LEFT + 180}" y1="14" y2="14"/>'
        f'<text x="{_LEFT + 186}" y="18">the limit, which the client is not told</text>'
        f'<line class="refused" x1="{_LEFT + 410}" x2="{_LEFT + 410}" y1="9" y2="19"/>'
        f'<text x="{_LEFT + 418}" y="18">a refusal</text>',
    ]
    for number, (rule, outcome) in enumerate(runs):
        x = _LEFT + (number % 2) * (_WIDTH + _LEFT + 10)
        y = _TOP + (number // 2) * (_HEIGHT + _GAP)
        parts.append(f'<g transform="translate({x} {y})">{_panel(rule, outcome)}</g>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>", ""]), "utf-8")


def _panel(rule: Any, outcome: Any) -> str:
    seconds = rule.hours * 3600.0
    levels = rule.changes or ((0.0, rule.allowed),)
    top = 2.0 * max(rate for _, rate in levels)
    size = seconds / _BINS
    counts = [0] * _BINS
    for times in outcome.sent:
        for at in times:
            counts[min(_BINS - 1, int(at / size))] += 1

    def place(at: float, rate: float) -> str:
        return f"{at / seconds * _WIDTH:.1f},{_HEIGHT - min(rate, top) / top * _HEIGHT:.1f}"

    sent = " ".join(place((index + 0.5) * size, count / size) for index, count in enumerate(counts))
    ends = [at for at, _ in levels[1:]] + [seconds]
    limit = " ".join(
        f"{place(at, rate)} {place(end, rate)}" for (at, rate), end in zip(levels, ends, strict=True)
    )
    marks = "".join(
        f'<line class="refused" x1="{x}" x2="{x}" y1="{_HEIGHT - 5}" y2="{_HEIGHT}"/>'
        for x in sorted({round(at / seconds * _WIDTH) for at in outcome.refusals})
    )
    hours = f"{rule.hours:g} h"
    return (
        f'<text class="name" x="0" y="-6">{escape(rule.name)}</text>'
        f'<path class="axis" d="M0 0V{_HEIGHT}H{_WIDTH}"/>'
        f'<text x="-6" y="{_HEIGHT / 2 + 4}" text-anchor="end">{top / 2:g}</text>'
        f'<text x="-6" y="8" text-anchor="end">{top:g}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 13}" text-anchor="end">{hours}</text>'
        f'<polyline class="limit" points="{limit}"/>'
        f'<polyline class="sent" points="{sent}"/>{marks}'
    )
