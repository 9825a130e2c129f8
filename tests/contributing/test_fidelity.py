"""The ledger's generator on small test files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.fidelity import Row, rows_of, standing_of

from boardless.project.fidelity import Standing

MODULE = '''"""Registers (RM0090 section 7.3)."""
pytestmark = pytest.mark.fidelity(device="RCC", source="RM0090 chapter 7")
TABLE = [("USART2", 1), ("UART4", 2), ("GPIOC", 3)]

def test_a_bit_stays() -> None: ...

def test_it_quotes() -> None:
    """CFGR.SWS (section 7.3.3)."""

@pytest.mark.fidelity(device=TABLE, behaviour="dead while unclocked", source="RM0090 2.3")
def test_gates() -> None: ...
'''


def written(folder: Path, text: str) -> Path:
    path = folder / "test_it.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_has_the_closest_source(tmp_path: Path) -> None:
    found = [(r.device, r.behaviour, r.source) for r in rows_of(written(tmp_path, MODULE))]
    assert found == [
        ("RCC", "a bit stays", "RM0090 chapter 7"),
        ("RCC", "it quotes", "RM0090 7.3.3"),
        ("GPIO", "dead while unclocked", "RM0090 2.3"),
        ("USART", "dead while unclocked", "RM0090 2.3"),
    ]


def test_a_mark_without_a_source_is_refused(tmp_path: Path) -> None:
    text = '@pytest.mark.fidelity(device="RCC")\ndef test_a() -> None: ...\n'
    with pytest.raises(SystemExit, match="test_a: a mark without device or source"):
        list(rows_of(written(tmp_path, text)))


def test_without_a_test_of_its_clock_a_device_is_not_called_modelled() -> None:
    keeps = Row("RCC", "a bit stays", "RM0090 7.3", "t")
    gate = Row("RCC", "dead while unclocked", "RM0090 2.3", "t")
    assert standing_of([keeps]) is Standing.UNPROVEN
    assert standing_of([keeps, gate]) is Standing.MODELLED
