"""`boardless mcp` asked by the official SDK's own client, over stdin and stdout."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from boardless.debug.assistant import TOOLS

ROOT = Path(__file__).parents[2]
ELF = "build/firmware/boardless.elf"
Call = tuple[str, dict[str, Any]]


def _ask(*calls: Call) -> tuple[list[str], list[tuple[bool, str]]]:
    """The tools' names, and of each call whether it failed, and the text."""

    async def talk() -> tuple[list[str], list[tuple[bool, str]]]:
        arguments = ["-m", "boardless", "mcp", "--root", str(ROOT)]
        # The environment too: by itself the client hands on little of it, and no PYTHONPATH.
        server = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))
        async with Client(server) as client:
            tools = await client.list_tools()
            answers = []
            for name, values in calls:
                answer: Any = await client.call_tool(name, values)
                answers.append((bool(answer.is_error), answer.content[0].text))
            return [tool.name for tool in tools.tools], answers

    return asyncio.run(talk())


def test_a_board_is_powered_run_to_a_function_read_and_stepped_back() -> None:
    names, answers = _ask(
        ("power_on", {"elf": ELF, "frames": "pattern:bars"}),
        ("go_on", {"for_us": 500_000, "until": "nn_run"}),
        ("read", {"what": "pc"}),
        ("step", {"count": 5}),
        ("step", {"count": 5, "back": True}),
        ("read", {"what": "model_network", "size": 8}),
    )
    assert set(names) == set(TOOLS)
    assert not any(failed for failed, _ in answers)
    texts = [text for _, text in answers]
    assert texts[1].startswith("breakpoint\nstands in  nn_run at ")
    assert "called by  nn_run < " in texts[1]
    place = texts[2].removeprefix("pc = ")
    assert f"nn_run at {place}" in texts[4]
    assert f"nn_run at {place}" not in texts[3]
    assert "in Flash" in texts[5] or "Flash" in texts[5]


def test_a_command_is_run_and_its_exit_code_told() -> None:
    _, (run, budget) = _ask(
        ("run", {"elf": ELF, "limit": 1}),
        ("budget", {"elf": "build/firmware/nothing.elf"}),
    )
    assert run[1].startswith("exit code 0\n")
    assert "infer" in run[1]
    assert budget[1].startswith("exit code 2\n")


def test_what_is_wrong_is_the_answer() -> None:
    _, answers = _ask(
        ("where", {}),
        ("power_on", {"elf": "../../etc/passwd"}),
        ("power_on", {"elf": "/etc/passwd"}),
        ("run", {"elf": ELF, "frames": "/etc"}),
        ("power_on", {"elf": ELF}),
        ("read", {"what": "0xzz"}),
        ("read", {"what": "nobody"}),
        ("read", {"what": "0x20000000", "size": 1 << 30}),
        ("step", {"count": 10**9}),
        ("go_on", {"for_us": 1e300}),
    )
    expected = [
        "no board is powered", "expected a path inside", "expected a path inside",
        "expected a path inside", None, "expected an address", "nobody", "expected 1 to 1024",
        "expected 1 to 10000", "expected at most 1e+07",
    ]  # fmt: skip
    for (failed, text), wanted in zip(answers, expected, strict=True):
        assert failed is (wanted is not None), text
        assert wanted is None or wanted in text
