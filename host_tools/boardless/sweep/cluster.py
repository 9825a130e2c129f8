"""Work on a Dask cluster, wherever its scheduler stands (extra `cluster`).

Nothing of ours listens: the scheduler's own settings say who may talk to it, TLS included. A
firmware and a chunk of frames go to a worker once, however many tasks need them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from boardless.sweep.grid import Grid
from boardless.sweep.work import SweepTask, run_task, tool_hash
from boardless_sim.camera.frame import Frame
from boardless_sim.errors import EngineError

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_S = 10.0
_AHEAD = 2  # tasks a worker has in hand: one that it runs, one that it is sent meanwhile


class ClusterWorkers:
    """A client of a scheduler. Raises `EngineError` where there is none, or another version."""

    def __init__(self, grid: Grid, scheduler: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise EngineError(
                "--scheduler: dask is not installed, expected it: pip install 'boardless[cluster]'"
            ) from error
        self._grid = grid
        self._given: dict[str, Future] = {}
        try:
            self._client: Client = Client(scheduler, timeout=CONNECT_S)
        except (OSError, TimeoutError, ValueError) as error:
            text = " ".join(str(error).split())[:200]
            raise EngineError(f"{scheduler}: {text}, expected a Dask scheduler") from error
        try:
            self._require_equal_versions(scheduler)
        except BaseException:
            self._client.close()
            raise

    def close(self) -> None:
        """Leave the scheduler; what is running there is cancelled."""
        self._client.close()

    def results(self, todo: deque[SweepTask]) -> Iterator[dict[str, Any]]:
        """Each task's line, in whatever order they end. A worker that dies costs its tasks only:
        the scheduler gives them to another one."""
        from distributed import as_completed

        running = as_completed(with_results=False)
        names: dict[str, SweepTask] = {}
        try:
            self._submit(todo, running, names)
            for future in running:
                task = names.pop(future.key)
                error = future.exception()
                if error is not None:
                    raise EngineError(
                        f"{dict(task.row)}: {type(error).__name__} on the cluster: "
                        f"{' '.join(str(error).split())[:200]}"
                    )
                yield future.result()
                self._submit(todo, running, names)
        finally:
            self._client.cancel(list(running.futures))

    def _submit(self, todo: deque[SweepTask], running: Any, names: dict[str, SweepTask]) -> None:
        threads = sum(self._client.nthreads().values())
        while todo and len(names) < max(1, _AHEAD * threads):
            task = todo.popleft()
            elf, chunk = task.inputs[0], task.inputs[1]
            future = self._client.submit(
                run_held,
                tool_hash(),
                task,
                self._sent(elf, self._grid.elfs[elf]),
                self._sent(chunk, self._grid.chunks[chunk].frames),
                key=f"boardless-{task.key}",
                pure=True,
            )
            names[future.key] = task
            running.add(future)

    def _sent(self, name: str, value: Any) -> Future:
        if name not in self._given:
            # As a task and not by scatter: what a worker held that died is made again.
            self._given[name] = self._client.submit(_held, value, key=f"boardless-{name}")
        return self._given[name]

    def _require_equal_versions(self, scheduler: str) -> None:
        if not self._client.nthreads():
            raise EngineError(f"{scheduler}: no workers, expected at least one")
        try:
            self._client.get_versions(check=True)
            theirs = self._client.run(tool_hash)
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            raise EngineError(f"{scheduler}: {text}, expected workers with this version") from error
        others = [worker for worker, found in theirs.items() if found != tool_hash()]
        if others:
            raise EngineError(
                f"{scheduler}: another version of boardless on {', '.join(others[:3])}, "
                "expected the one that is here"
            )


def _held(value: Any) -> Any:
    return value


def run_held(version: str, task: SweepTask, elf: bytes, frames: Iterable[Frame]) -> dict[str, Any]:
    """`run_task` on a worker: one that joined after the sweep began is held to the version too."""
    if tool_hash() != version:
        raise EngineError("another version of boardless on a worker that joined later")
    return run_task(task, elf, frames)
