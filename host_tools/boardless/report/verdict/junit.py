"""JUnit XML: one case a judged figure."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from boardless.gate.verdict import Verdict


def junit(*verdicts: Verdict) -> str:
    """The whole document: a suite an ELF."""
    root = Element("testsuites", name="budget")
    root.extend(_suite(verdict) for verdict in verdicts)
    for count in ("tests", "failures"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, "unicode") + "\n"


def _suite(verdict: Verdict) -> Element:
    """No budget at all is a failure, not an empty suite."""
    cases = [row for row in verdict.rows if row.max_bytes is not None or not row.ok]
    name = xml(f"budget {verdict.identity}")
    suite = Element("testsuite", name=name, errors="0", skipped="0")
    for row in cases:
        case = SubElement(suite, "testcase", classname=f"budget.{row.kind}", name=xml(row.name))
        if not row.ok:
            SubElement(case, "failure", message=xml(row.account()))
    if not verdict.judged:
        case = SubElement(suite, "testcase", classname="budget", name="budgets")
        SubElement(case, "failure", message=xml(verdict.line))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(1 for _ in suite.iter("failure"))))
    return suite


def xml(text: str) -> str:
    """Only what XML 1.0 may hold."""
    return "".join(char if char.isprintable() and char < "\ufffe" else "?" for char in text)
