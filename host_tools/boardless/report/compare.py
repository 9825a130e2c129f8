"""What several engines said, as one table and as a JSON document, schema 1."""

from __future__ import annotations

from itertools import islice

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boardless.compare.comparison import Answer, Comparison, Opinion

ROWS = 20
SCHEMA = 1


def compare_table(comparison: Comparison) -> RenderableType:
    """A row a frame and engine, bounded; the self-test; the first difference."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("frame", "name", "engine", "class", "score", "layers", "instructions"):
        left = heading in ("name", "engine")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    shown = min(max(len(opinion.answers) for opinion in comparison.opinions), ROWS)
    for number in range(shown):
        for opinion in comparison.opinions:
            table.add_row(str(number), *_cells(opinion, number))
    return Group(table, Text(""), *(Text(line) for line in summary(comparison, shown)))


def compare_document(comparison: Comparison) -> dict[str, object]:
    """The whole comparison."""
    found = comparison.difference
    return {
        "schema": SCHEMA,
        "frames": comparison.frames,
        "equal": found is None,
        "difference": None
        if found is None
        else {"where": found.where, "values": dict((found.first, found.second))},
        "selftest": None if comparison.selftest is None else str(comparison.selftest),
        "excused": [vars(excuse) for excuse in comparison.excuses],
        "no_longer": [vars(excuse) for excuse in comparison.gone],
        "engines": [_engine(opinion) for opinion in comparison.opinions],
    }


def _cells(opinion: Opinion, number: int) -> list[str]:
    answer = next(islice(opinion.answers, number, None), None)
    if answer is None:
        return ["", opinion.engine, "-", "-", "-", "-"]
    count = "-" if answer.instructions is None else f"{answer.instructions:,}"
    name = answer.name if len(answer.name) <= 24 else f"…{answer.name[-23:]}"
    digest = layers_digest(answer)
    return [name, opinion.engine, str(answer.class_index), str(answer.score), digest, count]


def layers_digest(answer: Answer) -> str:
    """How many layers, and the CRC-32 of the first and the last."""
    if not answer.layers:
        return "none"
    return f"{len(answer.layers)}: {answer.layers[0].crc32}…{answer.layers[-1].crc32}"


def summary(comparison: Comparison, shown: int = ROWS) -> list[str]:
    """What stands below the table, line by line."""
    lines = []
    if comparison.frames > shown:
        lines.append(f"… {comparison.frames - shown} more frames not shown")
    for opinion in comparison.opinions:
        lines.append(f"{opinion.engine:<10} {opinion.timing_basis}")
        if opinion.detail:
            lines.append(f"{'':<10} {opinion.detail}")
    lines += _what_was_told(comparison)
    lines += _selftest(comparison)
    found = comparison.difference
    lines.append(
        f"equal      {comparison.frames} frames" if found is None else f"FAILED     {found}"
    )
    return lines


def _what_was_told(comparison: Comparison) -> list[str]:
    lines = []
    answers = [answer for opinion in comparison.opinions for answer in opinion.answers]
    if any(answer.instructions is not None for answer in answers):
        lines.append(
            f"counted    instructions of {comparison.counted}, interrupts in between included"
        )
        if "qemu" in (opinion.engine for opinion in comparison.opinions):
            lines.append(
                "counted    qemu's clock runs on for a moment at a stop: its counts are high"
            )
    if not any(answer.layers for answer in answers):
        lines.append("layers     not compared: the firmware printed none")
    return lines


def _selftest(comparison: Comparison) -> list[str]:
    if comparison.selftest is None:
        return ["self-test  not compared: no selftest.elf beside the firmware, no --selftest"]
    lines = []
    for opinion in comparison.opinions:
        if opinion.transcript is not None:
            checks = opinion.transcript.checks
            passed = sum(check.passed for check in checks)
            lines.append(f"self-test  {opinion.engine}: {passed} of {len(checks)} checks pass")
    for excuse in comparison.excuses:
        lines.append(f"not held   {excuse.engine} {excuse.check}: {excuse.reason}")
    for excuse in comparison.gone:
        lines.append(f"no longer  {excuse.engine} {excuse.check}: {excuse.reason}")
    return lines


def _engine(opinion: Opinion) -> dict[str, object]:
    transcript = opinion.transcript
    return {
        "engine": opinion.engine,
        "timing_basis": opinion.timing_basis.name,
        "error_percent": opinion.timing_basis.error_percent,
        "stopped": opinion.detail or "result",
        "frames": [_frame(answer) for answer in opinion.answers],
        "selftest": None
        if transcript is None
        else {
            "stopped": transcript.detail or "result",
            "checks": [vars(check) for check in transcript.checks],
        },
    }


def _frame(answer: Answer) -> dict[str, object]:
    return {
        "name": answer.name,
        "class": answer.class_index,
        "score": answer.score,
        "instructions": answer.instructions,
        "layers": [vars(layer) for layer in answer.layers],
    }
