"""What a gateway saw and sent: a table, figures, and a time line as PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boardless.gateway.event import EventKind, SceneEvent
from boardless.gateway.run import GatewayOutcome
from boardless.gateway.sender import Sent, Statistics
from boardless_sim.files import write_file

_WIDTH, _ROW, _LEFT = 900, 28, 70
_COLOURS = ("#2a9d8f", "#e76f51", "#264653", "#e9c46a", "#8d5fd3")


def gateway_tables(outcome: GatewayOutcome, statistics: Statistics | None) -> RenderableType:
    """Events with the commands that they led to, then what the link did."""
    parts: list[RenderableType] = [_event_table(outcome.events), Text("")]
    parts += [Text(line) for line in _delay_lines(outcome.events)]
    parts += [
        Text(f"unsuited   from {each.since_s:.2f} s on: {each.reason}") for each in outcome.unsuited
    ]
    if statistics is not None:
        parts += [Text(""), _sent_table(statistics.sent), Text("")]
        parts += [Text(line) for line in _link_lines(statistics)]
    return Group(*parts)


def gateway_document(outcome: GatewayOutcome, statistics: Statistics | None) -> dict[str, object]:
    """Everything, schema 1. Times in seconds."""
    return {
        "schema": 1,
        "duration_s": outcome.duration_s,
        "events": [
            {
                "event": each.kind.value,
                "onset_s": each.onset_s,
                "decided_s": each.decided_s,
                "score": each.score,
            }
            for each in outcome.events
        ],
        "unsuited": [vars(each) for each in outcome.unsuited],
        "sent": [] if statistics is None else [_sent(each) for each in statistics.sent],
    }


def draw_time_line(outcome: GatewayOutcome, path: Path) -> None:
    """A row for each kind of event; what cannot be read is grey."""
    kinds = list(EventKind)
    picture = Image.new("RGB", (_WIDTH, _ROW * (len(kinds) + 1)), "white")
    draw = ImageDraw.Draw(picture)
    scale = (_WIDTH - _LEFT - 10) / max(outcome.duration_s, 1e-6)
    for each in outcome.unsuited:
        x = _LEFT + each.since_s * scale
        draw.rectangle((x, 0, x + 0.5 * scale, _ROW * len(kinds)), fill="#dddddd")
    for row, kind in enumerate(kinds):
        y = row * _ROW + _ROW // 2
        draw.text((4, y - 6), kind.value, fill="black")
        draw.line((_LEFT, y, _WIDTH - 10, y), fill="#cccccc")
        for event in outcome.events:
            if event.kind == kind:
                start, end = (_LEFT + t * scale for t in (event.onset_s, event.decided_s))
                draw.line((start, y, end, y), fill=_COLOURS[row], width=3)
                draw.ellipse((end - 5, y - 5, end + 5, y + 5), fill=_COLOURS[row])
    for second in range(int(outcome.duration_s) + 1):
        draw.text((_LEFT + second * scale, _ROW * len(kinds) + 6), f"{second} s", fill="black")
    drawn = io.BytesIO()
    picture.save(drawn, format="PNG")
    write_file(path, drawn.getvalue())


def _event_table(events: Sequence[SceneEvent]) -> Table:
    found = Table(box=None, pad_edge=False)
    for column in ("event", "onset s", "known s", "score"):
        found.add_column(column, justify="left" if column == "event" else "right")
    for each in events:
        found.add_row(
            each.kind.value, f"{each.onset_s:.2f}", f"{each.decided_s:.2f}", f"{each.score:.2f}"
        )
    return found


def _delay_lines(events: Sequence[SceneEvent]) -> Iterator[str]:
    for kind in EventKind:
        delays = sorted(each.decided_s - each.onset_s for each in events if each.kind == kind)
        if delays:
            middle, late = (delays[int(share * (len(delays) - 1) + 0.5)] for share in (0.5, 0.95))
            yield f"{kind.value:<10} known after {1000 * middle:.0f} ms, 95 % {1000 * late:.0f} ms"
    if not events:
        yield "events     none"


def _sent_table(sent: Sequence[Sent]) -> Table:
    found = Table(box=None, pad_edge=False)
    for column in ("command", "counter", "decided s", "sent ms later", "tries", "answer"):
        found.add_column(column, justify="left" if column in ("command", "answer") else "right")
    for each in sent:
        answer = "none" if each.code is None else each.code.name.lower()
        later = f"{1000 * (each.first_s - each.decided_s):.1f}"
        found.add_row(
            *(str(each.command), str(each.counter), f"{each.decided_s:.2f}"),
            *(later, str(each.tries), answer),
        )
    return found


def _link_lines(statistics: Statistics) -> Iterator[str]:
    yield (
        f"link       {statistics.acknowledged} acknowledged, {statistics.refused} refused, "
        f"{statistics.lost} lost, {statistics.dropped} dropped, {statistics.retries} sent again"
    )
    later = sorted(1000 * (each.first_s - each.decided_s) for each in statistics.sent)
    if later:
        late = later[int(0.99 * (len(later) - 1) + 0.5)]
        yield f"packets    {late:.1f} ms after the decision (99 %)"


def _sent(each: Sent) -> dict[str, object]:
    return {
        "command": str(each.command),
        "counter": each.counter,
        "decided_s": each.decided_s,
        "first_s": each.first_s,
        "answered_s": each.answered_s,
        "tries": each.tries,
        "code": None if each.code is None else int(each.code),
    }
