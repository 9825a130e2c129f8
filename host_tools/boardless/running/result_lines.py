"""A result as the firmware prints it: one line, or several that end with it."""

from __future__ import annotations

from boardless_sim.engines.engine import Engine, UartLine
from boardless_sim.result import InferenceResult


def read_result(engine: Engine, line: UartLine) -> InferenceResult:
    """The result that ends with a line, with the lines of its port since the one before.

    Raises `ResultError`.
    """
    contract = engine.contract
    pattern = contract.result
    if pattern is None or len(pattern.expressions) == 1:
        return contract.parse_result(line.text)
    before: list[str] = []
    lines = iter(reversed(engine.uart_lines()))
    while next(lines) is not line:
        pass
    for earlier in lines:
        if earlier.port != line.port:
            continue
        if contract.is_result(earlier.port, earlier.text):
            break
        before.append(earlier.text)
    return contract.parse_result(line.text, before[::-1])
