"""One account of a pull request: a row a part, its figures folded below, within a comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from boardless.gate.parts import Account, Figure
from boardless.report.verdict.markdown import LIMIT, escape

SCHEMA = 1
MARK = "<!-- boardless-report -->"
_SIGNS = {True: "✅", False: "❌", None: "ℹ️"}


def passed(parts: Sequence[Account]) -> bool:
    """No part failed, and one at least was judged."""
    judged = [part.is_ok for part in parts if part.is_ok is not None]
    return bool(judged) and all(judged)


def headline(parts: Sequence[Account]) -> str:
    """The account in one line."""
    failed = [part.name for part in parts if part.is_ok is False]
    if failed:
        return f"FAIL {len(failed)} of {len(parts)} parts: {', '.join(failed)}"
    return f"PASS {len(parts)} parts" if passed(parts) else "FAIL nothing was judged"


def document(parts: Sequence[Account]) -> dict[str, object]:
    """As JSON; also what a later account is held against."""
    verdict = "pass" if passed(parts) else "fail"
    return {"schema": SCHEMA, "verdict": verdict, "parts": [part.as_json() for part in parts]}


def lines(parts: Sequence[Account]) -> Iterator[str]:
    """For a terminal: a line a part, what failed and what changed below it."""
    for part in parts:
        mark = {True: "ok", False: "FAIL", None: "-"}[part.is_ok]
        yield f"{mark:<5} {part.name}: {part.line}"
        yield from (f"      {problem}" for problem in part.problems)
        yield from (
            f"      {figure.name} {_shown(figure, figure.value)}, was "
            f"{_shown(figure, figure.before)}"
            for figure in part.figures
            if _has_moved(figure)
        )
    yield headline(parts)


def markdown(parts: Sequence[Account]) -> str:
    """One comment; its first line is the mark by which the next run finds it again."""
    text = f"{MARK}\n**{escape(headline(parts))}**\n\n| | part | |\n| --- | --- | --- |\n"
    for part in parts:
        moved = [figure for figure in part.figures if _has_moved(figure)]
        changes = "; ".join(_change(figure) for figure in moved[:4])
        cell = escape(f"{part.line}{': ' if changes else ''}{changes}")
        text += f"| {_SIGNS[part.is_ok]} | {escape(part.name)} | {cell} |\n"
    text = text[: LIMIT // 2]
    blocks = [_details(part) for part in sorted(parts, key=lambda part: part.is_ok is not False)]
    for place, block in enumerate(blocks):
        if len(text) + len(block) + 200 > LIMIT:
            return f"{text}\n… the details of {len(blocks) - place} more parts left out.\n"
        text += block
    return text


def _details(part: Account) -> str:
    if not part.figures and not part.problems:
        return ""
    opened = " open" if part.is_ok is False else ""
    rows = [f"\n<details{opened}><summary>{escape(part.name)}</summary>\n"]
    rows += [f"- {escape(problem)}" for problem in part.problems]
    if part.figures:
        rows += ["", "| figure | now | before | max | |", "| --- | ---: | ---: | ---: | --- |"]
    for figure in part.figures:
        values = (figure.value, figure.before, figure.most)
        cells = [escape(figure.name), *(_shown(figure, value) for value in values)]
        rows.append(f"| {' | '.join(cells)} | {escape(figure.remark)} |")
    return "\n".join([*rows, "", "</details>", ""])


def _has_moved(figure: Figure) -> bool:
    return figure.before is not None and figure.before != figure.value


def _change(figure: Figure) -> str:
    if figure.value is None or figure.before is None:
        return f"{figure.name} not known any more"
    return f"{figure.name} {_shown(figure, figure.value - figure.before, sign='+')}"


def _shown(figure: Figure, value: float | None, sign: str = "") -> str:
    if value is None:
        return "-"
    digits = 0 if figure.unit == "B" else 3 if figure.unit == "ms" else 2
    return f"{value:{sign},.{digits}f}{'' if figure.unit == 'B' else f' {figure.unit}'}"
