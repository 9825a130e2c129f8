"""A real GDB, and clients that are none, against `boardless debug`."""

from __future__ import annotations

import random
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from tests.firmware.conftest import BUILD, REPO

ELF = BUILD / "boardless.elf"
LIMIT_S = 120
NAMES = ("gdb-multiarch", "arm-none-eabi-gdb")


def served(
    *options: str, elf: Path = ELF
) -> AbstractContextManager[tuple[int, subprocess.Popen[str]]]:
    """The server's port, and its process."""
    return served_by("debug", str(elf), *options)


@contextmanager
def served_by(*arguments: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The same of any command of Boardless that serves."""
    command = [sys.executable, "-m", "boardless", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", process.stdout.readline())
            assert said is not None
            yield int(said[1]), process
        finally:
            process.kill()


def gdb(port: int, *commands: str, elf: Path = ELF) -> str:
    """What a GDB prints for some commands."""
    name = next((name for name in NAMES if shutil.which(name)), None)
    if name is None:
        pytest.fail(f"none of {', '.join(NAMES)} is there: install gdb-multiarch")
    lines = [f"target remote 127.0.0.1:{port}", *commands]
    options = [option for line in lines for option in ("-ex", line)]
    run = subprocess.run(
        [name, "-nx", "-batch", str(elf), *options],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    return run.stdout + run.stderr


class Client:
    """Speaks the protocol by itself."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), LIMIT_S)
        self._rest = b""

    def close(self) -> None:
        self.socket.close()

    def ask(self, body: bytes) -> bytes:
        self.socket.sendall(b"$" + body + b"#%02x" % (sum(body) & 0xFF))
        return self.answer()

    def answer(self) -> bytes:
        """The next packet that is no console text."""
        while True:
            found = re.search(rb"\$([^#]*)#..", self._rest)
            if found is None:
                data = self.socket.recv(65536)
                assert data, "the server closed the connection"
                self._rest += data
                continue
            self._rest = self._rest[found.end() :]
            self.socket.sendall(b"+")
            if found[1][:1] != b"O" or found[1] == b"OK":
                return found[1]


def registers(client: Client) -> bytes:
    return client.ask(b"g")


def test_a_session_of_gdb() -> None:
    with served("--frames", "pattern:noise:1", "--limit", "2") as (port, _):
        said = gdb(
            port,
            "break nn_run", "continue", "info registers control", "print $d0", "finish",
            "reverse-next", "delete", "break main", "reverse-continue", "load",
            "compare-sections .text", "monitor step-irq on", "info threads", "detach",
        )  # fmt: skip
    for expected in (
        "Breakpoint 1, nn_run (",
        "control        0x4",
        "Value returned is $2 = 0",
        "Breakpoint 2, main ()",
        "Start address 0x08000198, load size",
        "matched.",
        "a step enters handlers",
        "(stm32f407vg)",
        "detached",
    ):
        assert expected in said, said


def test_gdb_finds_who_wrote_this() -> None:
    with served("--frames", "pattern:noise:1", "--limit", "2") as (port, _):
        said = gdb(
            port,
            "break result_print", "continue", "delete",
            "print ::scratch", "watch *(char *)&::scratch", "reverse-continue",
            "info symbol $pc", "detach",
        )  # fmt: skip
    assert "Hardware watchpoint 2" in said, said
    assert re.search(r"Old value = .*\nNew value = ", said), said
    assert "in section .text" in said, said


def test_a_caught_fault_is_told_in_words() -> None:
    elf = BUILD / "faulty_hardfault.elf"
    with served("--frames", "pattern:noise:1", "--limit", "1", elf=elf) as (port, _):
        said = gdb(port, "monitor catch hardfault", "continue", "reverse-stepi", "detach")
    assert "a fault that was waited for at " in said, said
    assert re.search(r"fault +\S.*", said), said
    assert "SIGSEGV" in said, said


def test_what_an_editor_sends_first() -> None:
    """cortex-debug with `servertype: external`: extended-remote, reset, halt, download."""
    with served() as (port, _):
        said = gdb(
            port, "disconnect", f"target extended-remote 127.0.0.1:{port}", "monitor reset halt",
            "load", "monitor halt", "tbreak main", "continue", "stepi", "next",
        )  # fmt: skip
    assert "main () at" in said, said
    assert "load size" in said, said


def test_a_killed_session_ends_the_server() -> None:
    with served() as (port, process):
        gdb(port, "kill")
        assert process.wait(LIMIT_S) == 0


BAD: dict[str, bytes] = {
    "memory where none is": b"m30000000,ffffffff",
    "memory beyond the end": b"mfffffff0,40",
    "short write": b"M20000000,4:00",
    "odd digits": b"M20000000,2:0g",
    "no such kind": b"Z9,0,0",
    "no such register": b"Pff=00",
    "short register": b"P0=00",
    "short registers": b"G00",
    "bad offset": b"qXfer:features:read:target.xml:zz",
    "no such document": b"qXfer:nothing:read::0,10",
    "odd command": b"qRcmd,0",
    "no text": b"qRcmd,ff",
    "no action": b"vCont;",
    "no range": b"vCont;r",
    "flash outside": b"vFlashErase:20000000,4000",
    "escape at the end": b"X20000000,1:}",
    "no such thread": b"T99",
    "no number": b"pzz",
}


@pytest.fixture(name="port", scope="module")
def shared_port() -> Iterator[int]:
    with served() as (port, _):
        yield port


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_nonsense_is_answered_with_an_error_and_changes_nothing(port: int, body: bytes) -> None:
    with closing(Client(port)) as client:
        before = registers(client)
        assert re.fullmatch(rb"E..|", client.ask(body))
        assert registers(client) == before
        assert client.ask(b"D") == b"OK"


BROKEN: dict[str, Callable[[], bytes]] = {
    "garbage": lambda: random.Random(1).randbytes(3000).replace(b"\x03", b"\x04"),
    "no end": lambda: b"$" + b"m" * 200_000,
    "huge": lambda: b"$" + b"m" * 60_000 + b"#00",
    "closed inside a packet": lambda: b"$m20000000,",
    "closed while it runs": lambda: b"$vCont;c#a8",
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN.keys())
def test_a_client_that_breaks_off_leaves_the_board_as_it_was(
    port: int, sent: Callable[[], bytes]
) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), LIMIT_S)) as broken:
        broken.sendall(sent())
    with closing(Client(port)) as client:
        assert re.fullmatch(rb"T[0-9a-f]{2}.*thread:1;", client.ask(b"?"))
        assert len(registers(client)) == 2 * (17 * 4 + 16 * 8 + 7 * 4)
        client.ask(b"D")


def test_a_wrong_checksum_is_asked_for_again(port: int) -> None:
    with closing(Client(port)) as client:
        client.socket.sendall(b"$g#00")
        assert client.socket.recv(1) == b"-"
        client.ask(b"D")


def test_a_second_client_is_turned_away(port: int) -> None:
    with closing(Client(port)) as first:
        first.ask(b"?")
        with closing(socket.create_connection(("127.0.0.1", port), LIMIT_S)) as second:
            assert second.recv(1) == b""
        assert first.ask(b"D") == b"OK"


def test_ctrl_c_stops_the_run(port: int) -> None:
    with closing(Client(port)) as client:
        body = b"vCont;c"
        client.socket.sendall(b"$" + body + b"#%02x" % (sum(body) & 0xFF))
        assert client.socket.recv(1) == b"+"
        client.socket.sendall(b"\x03")
        assert client.answer().startswith(b"T02")
        client.ask(b"D")


def test_a_flash_download_that_breaks_off_writes_nothing(port: int) -> None:
    with closing(Client(port)) as client:
        before = client.ask(b"m8000000,10")
        assert client.ask(b"vFlashErase:8000000,4000") == b"OK"
    with closing(Client(port)) as client:
        assert client.ask(b"m8000000,10") == before
        client.ask(b"D")


def test_a_fault_of_the_sensor_by_name() -> None:
    with served("--frames", "pattern:bars") as (port, _):
        said = gdb(
            port, "monitor fault", "monitor fault nothing", "monitor fault dead sensor",
            "monitor fault", "monitor fault none", "detach",
        )  # fmt: skip
    assert "now: none; expected none or one of: " in said
    assert "nothing" in said
    assert re.search(r"1 faults\s+now: DeadSensor", said)
    assert "0 faults" in said


def test_a_session_over_gdb_mi_as_an_editor_s_adapter_has_it() -> None:
    """The commands of cortex-debug's `servertype: external`, in its order, and a way back."""
    name = next(name for name in NAMES if shutil.which(name))
    with served() as (port, _), subprocess.Popen(
        [name, "-nx", "--interpreter=mi2", "-q"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as adapter:  # fmt: skip
        assert adapter.stdin is not None
        assert adapter.stdout is not None
        stops = []
        for command, ends in (
            ("-gdb-set mi-async on", "^done"),
            (f'-file-exec-and-symbols "{ELF}"', "^done"),
            (f"-target-select extended-remote 127.0.0.1:{port}", "^connected"),
            ('-interpreter-exec console "monitor reset halt"', "^done"),
            ("-target-download", "^done"),
            ('-interpreter-exec console "monitor reset halt"', "^done"),
            ("-break-insert -t main", "^done"),
            ("-exec-continue", "*stopped"),
            ("-stack-list-frames", "^done"),
            ("-data-list-register-values x 15", "^done"),
            ("-exec-next-instruction", "*stopped"),
            ("-exec-next-instruction --reverse", "*stopped"),
            ("-target-detach", "^done"),
        ):
            adapter.stdin.write(f"{command}\n")
            adapter.stdin.flush()
            for line in adapter.stdout:
                assert not line.startswith("^error"), (command, line)
                if line.startswith(ends):
                    stops += [line] if ends == "*stopped" else []
                    break
        adapter.stdin.write("-gdb-exit\n")
    assert 'reason="breakpoint-hit"' in stops[0]
    places = [re.search(r'addr="(\w+)",func="main"', stop) for stop in stops]
    assert places[0] is not None
    assert places[2] is not None
    assert places[0][1] == places[2][1]
    assert len(stops) == 3


def test_the_example_of_the_page() -> None:
    page = (REPO / "docs/howto/debug.md").read_text("utf-8")
    (options,) = re.findall(r"^boardless debug \S+ (--frames .*)$", page, re.MULTILINE)
    (commands,) = re.findall(r"```gdb\n(.*?)```", page, re.DOTALL)
    expected = re.findall(r"```text\n(.*?)```", page, re.DOTALL)[0]
    with served(*options.split()) as (port, _):
        said = gdb(port, *commands.splitlines(), "detach")
    for line in expected.splitlines():
        assert line in said, said


def test_tasks_are_threads(tmp_path: Path) -> None:
    elf, here = tmp_path / "tasks.elf", Path(__file__).parent
    subprocess.run(
        ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-O1", "-g", "-ffreestanding",
         "-nostdlib", "-T", str(here / "tasks.ld"), str(here / "tasks.c"), "-o", str(elf)],
        check=True, timeout=LIMIT_S,
    )  # fmt: skip
    with served(elf=elf) as (port, _):
        said = gdb(
            port, "break wait_for_frame", "continue", "info threads", "thread 3",
            "info registers r0 r4 sp", "thread 2", "info registers r0", "detach", elf=elf,
        )  # fmt: skip
    for task in ("blink", "camera", "idle"):
        assert f"({task})" in said, said
    assert re.search(r"r0 +0x7e57 ", said), said
    assert re.search(r"r4 +0x40 ", said), said
    assert re.search(r"\(idle\) +main ", said), said
