"""What a board shows of a failure: the frame as a picture, the UART transcript, fault, time."""

from __future__ import annotations

import base64
import contextlib
import html
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from boardless.running.board_checks import observe
from boardless.running.part_pictures import PREFIX, evidence_of, parts_of
from boardless.running.post_mortem import PostMortem, examine, in_lines
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import Engine, FaultInfo, UartLine
from boardless_sim.errors import BoardlessError
from boardless_sim.files import write_file, write_text
from boardless_sim.finding import Check
from boardless_sim.visible import visible

UPSCALE = 6
LAST_LINES = 200
FRAME_FILE, UART_FILE, BOARD_FILE = FILES = ("frame.png", "uart.txt", "board.txt")


@dataclass(frozen=True)
class Evidence:
    """A board at one moment, after which it may go away."""

    frame: Frame | None
    uart: tuple[UartLine, ...]
    fault: str | None
    time: str
    log: tuple[str, ...]
    post_mortem: tuple[str, ...] = ()  # where the core stands
    stack: tuple[str, ...] = ()  # who called whom, innermost first
    parts: Mapping[str, bytes] = field(default_factory=dict)  # files by name


def gather(engine: Engine, frame: Frame | None) -> Evidence:
    """The board as it is now; `frame` is the last one shown to it."""
    fault, stands = engine.fault(), examine(engine)
    return Evidence(
        frame=frame,
        uart=tuple(engine.uart_lines()),
        fault=None if fault is None else _fault_text(fault, stands),
        time=f"virtual time {engine.time_us() / 1000:.3f} ms ({engine.timing_basis})",
        log=(*map(visible, engine.log()), *_seen(engine, stands)),
        post_mortem=() if stands is None else tuple(in_lines(stands)),
        stack=() if stands is None else stands.calls,
        parts=evidence_of(parts_of(engine)),
    )


def _fault_text(fault: FaultInfo, stands: PostMortem | None) -> str:
    overflow = "" if stands is None else stands.overflow
    return f"{fault}; {overflow}" if overflow else str(fault)


def _seen(engine: Engine, stands: PostMortem | None) -> Iterator[str]:
    """What the chip would not have carried; what is not modelled stands in the log already."""
    for observed in observe(engine, stands):
        found = observed.finding
        if found.kind != Check.UNMODELLED.value:
            place = f"{observed.function} at {found.pc:#010x}, {found.time_us / 1000:.3f} ms"
            yield visible(f"{found.kind}: {found.text} ({place})")


def png(frame: Frame) -> bytes:
    """The frame as the test gave it, in grey."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(frame.luma).save(stream, "PNG")
    return stream.getvalue()


def transcript(lines: tuple[UartLine, ...]) -> str:
    """A UART line a row, with its port and when its last bit left."""
    return "".join(
        f"{line.time_us:12.1f} us  {line.port}  {visible(line.text)}\n" for line in lines
    )


def as_html(evidence: Evidence) -> str:
    """For Robot's log: self-contained, pixels kept sharp."""
    parts = []
    if evidence.frame is not None:
        height, width = evidence.frame.luma.shape
        data = base64.b64encode(png(evidence.frame)).decode("ascii")
        name = html.escape(evidence.frame.name, quote=True)
        parts.append(
            f'<p>frame {name}<br><img alt="{name}" src="data:image/png;base64,{data}" '
            f'width="{width * UPSCALE}" height="{height * UPSCALE}" '
            'style="image-rendering: pixelated"></p>'
        )
    parts.append(f"<p>{html.escape(evidence.time)}</p>")
    parts.append(f"<p>{html.escape(evidence.fault or 'no fault')}</p>")
    if evidence.post_mortem:
        parts.append(f"<pre>{html.escape(chr(10).join(evidence.post_mortem))}</pre>")
    left_out = len(evidence.uart) - LAST_LINES
    note = f"(the first {left_out} lines are left out)\n" if left_out > 0 else ""
    said = note + transcript(evidence.uart[-LAST_LINES:]) or "the UART is silent"
    parts.append(f"<pre>{html.escape(said)}</pre>")
    if evidence.log:
        parts.append(f"<pre>{html.escape(chr(10).join(evidence.log))}</pre>")
    return "".join(parts)


def clear(folder: Path) -> None:
    """Remove what an earlier run saved there: it must not be taken for this run's."""
    for path in (*(folder / name for name in FILES), *folder.glob(f"{PREFIX}*")):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def save(evidence: Evidence, folder: Path) -> None:
    """`frame.png`, `uart.txt`, `board.txt` and files of the parts in a folder of its own."""
    fault = evidence.fault or "no fault"
    board = [evidence.time, fault, *evidence.post_mortem, *evidence.log]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BoardlessError(
            f"{folder}: {error.strerror or error}, expected a writable folder"
        ) from error
    if evidence.frame is not None:
        write_file(folder / FRAME_FILE, png(evidence.frame))
    for name, data in evidence.parts.items():
        write_file(folder / name, data)
    write_text(folder / UART_FILE, transcript(evidence.uart))
    write_text(folder / BOARD_FILE, "\n".join(board) + "\n")
