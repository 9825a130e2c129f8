"""What debugging costs on this machine: ratios of CPU time to the same run without it.

Exit code 0: the figures are of this machine, not verdicts.
"""

from __future__ import annotations

import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from boardless.debug.server import serve
from boardless.debug.session import GdbSession
from boardless.debug.target import DebugTarget
from boardless_sim.camera.source import open_frames
from boardless_sim.core.stops import Stops, WatchAccess, Watchpoint
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native import snapshot
from boardless_sim.engines.native.engine import NativeEngine

ELF = Path("build/firmware/boardless.elf")
FRAMES, SECOND_PS, EVERY_PS = 40, 10**12, 50 * 10**9
TURNS, STEPS = 5, 3_000
IMAGE = load_image(ELF)
UNUSED = 0x1000_FF00  # in the CCM, which the firmware does not touch


@contextmanager
def board() -> Iterator[NativeEngine]:
    """Powered on, with frames before its lens."""
    with closing(NativeEngine()) as engine:
        engine.load(IMAGE)
        for frame in open_frames("pattern:noise:1", limit=FRAMES):
            engine.show(frame)
        yield engine


def cpu_seconds(prepare: Callable[[NativeEngine], object]) -> float:
    """The least of some runs of a virtual second."""
    found = []
    for _ in range(TURNS):
        with board() as engine:
            kept = prepare(engine)
            start = time.process_time()
            if isinstance(kept, DebugTarget):
                kept.go_on(limit_ps=SECOND_PS)
            else:
                engine.machine.run_until(SECOND_PS)
            found.append(time.process_time() - start)
    return min(found)


def attached(engine: NativeEngine) -> Stops:
    """A debugger with a breakpoint that is never reached."""
    stops = Stops(engine.machine.cpu)
    stops.add(IMAGE.symbols["cpu_stop"].address)
    stops.go_on()
    return stops


def watching(engine: NativeEngine) -> Stops:
    """A watchpoint that is never hit."""
    stops = Stops(engine.machine.cpu)
    stops.watch(Watchpoint(UNUSED, 4, WatchAccess.WRITE))
    stops.go_on()
    return stops


def ratios() -> Iterator[tuple[str, float, str]]:
    """Name, figure, what it should be."""
    plain = cpu_seconds(lambda engine: None)
    cases: tuple[tuple[str, Callable[[NativeEngine], object], str], ...] = (
        ("a breakpoint, times", attached, "1.0"),
        ("coverage, times", lambda engine: engine.machine.cpu.cover(), "1.1"),
        ("a snapshot each 50 ms, times", lambda e: DebugTarget(e, IMAGE, EVERY_PS), "1.15"),
        ("a watchpoint, times", watching, "8"),
    )
    for name, prepare, target in cases:
        yield name, cpu_seconds(prepare) / plain, target


def milliseconds(act: Callable[[], object], turns: int) -> float:
    """Of CPU time, the median of some turns."""
    found = []
    for _ in range(turns):
        start = time.process_time()
        act()
        found.append(time.process_time() - start)
    return 1e3 * statistics.median(found)


def journeys() -> Iterator[tuple[str, float, str]]:
    """Snapshots and the way back, after a virtual second."""
    with board() as engine, closing(DebugTarget(engine, IMAGE, EVERY_PS)) as target:
        target.stops.add(IMAGE.symbols["nn_run"].address)
        while engine.time_us() < 1e6:
            target.go_on(limit_ps=2 * SECOND_PS)
        target.stops.remove(IMAGE.symbols["nn_run"].address)
        yield "snapshot, CPU ms", milliseconds(lambda: snapshot.take(engine), 50), "1"
        kept = snapshot.take(engine)
        yield "restore, CPU ms", milliseconds(lambda: snapshot.restore(engine, kept), 50), "1"
        yield "first step back, CPU ms", milliseconds(target.step_back, 1), "50"
        yield "further steps back, CPU ms", milliseconds(target.step_back, 30), "50"
        target.stops.add(IMAGE.symbols["main"].address)
        yield "back over a virtual second, CPU ms", milliseconds(target.run_back, 1), "1000"


def steps_a_second() -> float:
    """`vCont;s` on the wire, by the CPU time of both ends."""
    ports: list[int] = []
    ready = threading.Event()

    def say(line: str) -> None:
        ports.append(int(line.rpartition(":")[2]))
        ready.set()

    with board() as engine, closing(DebugTarget(engine, IMAGE, EVERY_PS)) as target:
        server = threading.Thread(
            target=serve, args=(lambda link: GdbSession(target, link), 0, say)
        )
        server.start()
        ready.wait()
        with socket.create_connection(("127.0.0.1", ports[0])) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            start = time.process_time()
            for _ in range(STEPS):
                client.sendall(b"$vCont;s#b8")
                answer = b""
                while answer.count(b"#") < 1:
                    answer += client.recv(4096)
                client.sendall(b"+")
            seconds = time.process_time() - start
            client.sendall(b"$k#6b")
        server.join()
    return STEPS / seconds


def main() -> int:
    """Print the table."""
    table = Table("what", "measured", "should be", box=None, header_style="")
    for name, figure, target in (*ratios(), *journeys()):
        table.add_row(name, f"{figure:.2f}", target)
    table.add_row("steps a CPU second on the wire", f"{steps_a_second():.0f}", "3000")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
