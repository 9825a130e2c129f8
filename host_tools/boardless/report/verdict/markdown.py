"""Markdown for a job summary and for one comment on a pull request, within GitHub's limit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from boardless.gate.change import Change
from boardless.gate.many import Verdicts
from boardless.gate.verdict import Verdict
from boardless.report.verdict.terminal import label, number, remark, share

_PATHS = 20
LIMIT = 65_536  # characters that a comment may have
MARK = "<!-- boardless-budget -->"
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#|~@&!])")


def markdown(verdict: Verdict) -> str:
    """Verdict, failures, table, changes; what does not fit is left out and counted.

    The first line is the mark by which the next run finds its own comment again.
    """
    head = [MARK, f"**{escape(verdict.line)}**", ""]
    blocks = [*_table(verdict), *_changes(verdict), *_notes(verdict)]
    text = "\n".join(head)[: LIMIT // 2]
    for place, line in enumerate(blocks):
        if len(text) + len(line) + 200 > LIMIT:
            left = len(blocks) - place
            return (
                f"{text}\n\n… {left} more lines left out: a comment holds {LIMIT:,} characters.\n"
            )
        text += f"\n{line}"
    return text + "\n"


def markdown_of_many(verdicts: Verdicts) -> str:
    """One comment for all: a row an ELF, and the details of each folded; worst first."""
    ordered = sorted(verdicts.each, key=lambda verdict: verdict.passed)
    head = [MARK, f"**{escape(verdicts.line)}**", "", "| ELF | budgets | |", "| --- | ---: | --- |"]
    for verdict in ordered:
        sign = "✅" if verdict.passed else "❌"
        why = "" if verdict.passed else escape(verdict.line.partition(": ")[2])
        kept = len([row for row in verdict.judged if row.ok])
        head.append(
            f"| {sign} {escape(verdict.identity)} | {kept} of {len(verdict.judged)} | {why} |"
        )
    text = "\n".join(head)[: LIMIT // 2] + "\n"
    for place, verdict in enumerate(ordered):
        body = "\n".join([*_table(verdict), *_changes(verdict), *_notes(verdict)])
        block = (
            f"\n<details><summary>{escape(verdict.identity)}</summary>\n\n{body}\n\n</details>\n"
        )
        if len(text) + len(block) + 200 > LIMIT:
            left = len(ordered) - place
            return f"{text}\n… the details of {left} more ELFs left out.\n"
        text += block
    return text


def escape(text: str) -> str:
    """Text as text: no markup, no mention, no link, whatever a symbol is called."""
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", shown).replace("://", ":&#47;&#47;")


def _table(verdict: Verdict) -> Iterator[str]:
    yield "| budget | bytes | max | used | |"
    yield "| --- | ---: | ---: | ---: | --- |"
    for row in sorted(verdict.rows, key=lambda row: row.ok):
        sign = "❌ " if not row.ok else "✅ " if row.max_bytes is not None else ""
        cells = [sign + escape(label(row)), number(row.bytes), number(row.max_bytes), share(row)]
        yield f"| {' | '.join([*cells, escape(remark(row, verdict))])} |"


def _changes(verdict: Verdict) -> Iterator[str]:
    diff = verdict.diff
    if diff is None:
        return
    moved = [change for change in diff.regions if change.delta]
    yield ""
    yield f"Against {escape(diff.label)}:"
    yield ""
    yield from _change_table("region", moved) if moved else ["No region changed."]
    if diff.stack is not None and diff.stack.delta:
        yield ""
        yield f"Worst-case stack {diff.stack.delta:+,} bytes."
    if diff.stacks:
        yield ""
        yield from (f"- stack: {escape(path.text())}" for path in diff.stacks[:_PATHS])
        if len(diff.stacks) > _PATHS:
            yield f"- and {len(diff.stacks) - _PATHS} more paths"
    if diff.symbols:
        yield ""
        yield f"<details><summary>{len(diff.symbols)} symbols changed</summary>"
        yield ""
        yield from _change_table("symbol", diff.symbols[:200])
        yield ""
        yield "</details>"
    if diff.unchanged:
        yield ""
        yield f"{diff.unchanged:,} symbols moved by no more than {diff.noise} bytes."


def _change_table(kind: str, changes: Sequence[Change]) -> Iterator[str]:
    yield f"| {kind} | before | after | change |"
    yield "| --- | ---: | ---: | ---: |"
    for change in changes:
        before, after = number(change.before), number(change.after)
        yield f"| {escape(change.name)} | {before} | {after} | {change.delta:+,} |"


def _notes(verdict: Verdict) -> Iterator[str]:
    notes = list(verdict.notes)
    if any(row.kind == "waiver" for row in verdict.rows):
        notes.append(f"Waivers hold as of {verdict.today}.")
    if notes:
        yield ""
    for note in notes:
        yield f"- {escape(note)}"
