"""A sweep on a real Dask scheduler with real workers, all on loopback."""

from __future__ import annotations

import os
import signal
import socket
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from distributed import LocalCluster

from boardless.sweep import cluster as cluster_module
from boardless.sweep.cluster import ClusterWorkers, run_held
from boardless.sweep.grid import Grid
from boardless.sweep.local import LocalWorkers
from boardless_sim.errors import EngineError


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as found:
        yield found


def run(workers: Any, grid: Grid) -> dict[str, str]:
    return {line["key"]: line["fingerprint"] for line in workers.results(deque(grid.tasks))}


def test_a_cluster_finds_what_this_machine_finds(grid: Grid, cluster: LocalCluster) -> None:
    workers = ClusterWorkers(grid, cluster.scheduler_address)
    try:
        found = run(workers, grid)
    finally:
        workers.close()
    assert found == run(LocalWorkers(grid, 1), grid)
    assert len(found) == len(grid.tasks)


def test_a_worker_that_is_killed_costs_its_tasks_only(grid: Grid, cluster: LocalCluster) -> None:
    workers = ClusterWorkers(grid, cluster.scheduler_address)
    try:
        lines = workers.results(deque(grid.tasks))
        first = next(lines)
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        keys = [first["key"], *(line["key"] for line in lines)]
    finally:
        workers.close()
    assert sorted(keys) == sorted(task.key for task in grid.tasks)


def test_no_scheduler_there(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_S", 0.5)
    with socket.socket() as bound:  # bound, and nobody listens
        bound.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(EngineError, match="expected a Dask scheduler"):
            ClusterWorkers(grid, address)


def test_no_address_at_all(grid: Grid) -> None:
    with pytest.raises(EngineError, match="expected a Dask scheduler"):
        ClusterWorkers(grid, "nonsense")


def test_workers_of_another_version_are_refused(
    grid: Grid, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(["here"])
    monkeypatch.setattr(cluster_module, "tool_hash", lambda: next(calls, "there"))
    with pytest.raises(EngineError, match="another version of boardless on tcp://127.0.0.1"):
        ClusterWorkers(grid, cluster.scheduler_address)


def test_a_worker_that_joins_later_is_held_to_the_version_too(grid: Grid) -> None:
    task = grid.tasks[0]
    with pytest.raises(EngineError, match="another version of boardless on a worker"):
        run_held("there", task, *grid.given(task))
