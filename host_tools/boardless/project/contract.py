"""The firmware's contract in `boardless.toml`: where its results come, and how they are written.

[console]
port = "USART3"
baud = 115200
result = 'class: (?P<class>\\w+) \\((?P<score>\\d+)%\\) (?P<total_ms>\\d+) ms'

[classes]
names = ["cat", "dog"]

[symbols]
infer = "run_network"

[stages]
preprocess = "scale_picture"
"""

from __future__ import annotations

import re
from dataclasses import fields

from boardless.project.toml_table import TomlTable
from boardless_sim.contract import REFERENCE, Contract, Symbols
from boardless_sim.errors import ConfigError
from boardless_sim.result import ResultPattern

TABLES = ("console", "classes", "symbols", "stages")
_PORT = re.compile(r"USART[1-9]|UART[1-9]|semihosting|(rtt|itm)\d*")
_MOST_BAUD = 10_500_000  # USART1 and USART6 at 84 MHz, oversampling by 8 (RM0090 30.3.4)
_MOST_CLASSES = 1000


def read_contract(root: TomlTable) -> Contract:
    """What the tables of a file say; the reference firmware's where they say nothing."""
    console, classes = root.table("console"), root.table("classes")
    port = console.text("port")
    if port is not None and not _PORT.fullmatch(port):
        raise console.error(f"port: found {port!r}, expected USART1 or such, semihosting, rtt, itm")
    baud = console.count("baud") if console.has("baud") else None
    if baud is not None and baud > _MOST_BAUD:
        raise console.error(f"baud: found {baud}, expected at most {_MOST_BAUD}")
    if baud is not None and port is None:
        raise console.error(f"baud: found {baud} and no port, expected both")
    error_prefix = console.text("errors") or Contract.error_prefix
    result = _result(console)
    console.close()
    names = classes.texts("names")
    if len(names) > _MOST_CLASSES or len(set(names)) < len(names):
        raise classes.error(f"names: expected at most {_MOST_CLASSES}, each once")
    classes.close()
    return Contract(
        port=port,
        baud=baud,
        result=result,
        classes=names,
        error_prefix=error_prefix,
        symbols=_symbols(root.table("symbols")),
        stages=_stages(root.table("stages")),
    )


def _result(console: TomlTable) -> ResultPattern | None:
    texts = console.texts("result")
    if not texts:
        return None
    try:
        return ResultPattern.from_texts(texts)
    except ValueError as error:
        found = texts[0] if len(texts) == 1 else list(texts)
        raise console.error(f"result: found {found!r}, expected {error}") from error


def _symbols(table: TomlTable) -> Symbols:
    given = {
        name.name: text
        for name in fields(Symbols)
        if (text := table.text(name.name.replace("_", "-"))) is not None
    }
    table.close()
    return Symbols(**given)


def _stages(table: TomlTable) -> dict[str, str]:
    """Those of the file in its order; the reference firmware's where it gives none."""
    if not table.given:
        return dict(REFERENCE.stages)
    given = {name: table.text(name) for name in table.names()}
    if not given:
        raise ConfigError(f"{table.folder}: [stages] is empty, expected a function a stage")
    return {name: text for name, text in given.items() if text is not None}
