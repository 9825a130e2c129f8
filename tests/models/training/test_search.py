from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boardless_models.data.dataset import Dataset, Split, load_dataset
from boardless_models.graph.cost import MODEL_BUDGET_BYTES, network_bytes, network_macs
from boardless_models.graph.cycles import network_cycles
from boardless_models.training.recipe import SEARCH
from boardless_sim.errors import ModelError

pytest.importorskip("torch", reason="the training steps need PyTorch (boardless[train])")

REPOSITORY = Path(__file__).parents[3]
LOG = REPOSITORY / "models" / "search" / "fashion_mnist.jsonl"


@pytest.fixture(scope="module")
def few() -> Dataset:
    whole = load_dataset()
    return Dataset(
        train=Split(whole.train.images[:1_024], whole.train.labels[:1_024]),
        validation=Split(whole.validation.images[:128], whole.validation.labels[:128]),
        test=Split(whole.test.images[:0], whole.test.labels[:0]),
        sha256=whole.sha256,
        classes=whole.classes,
    )


def test_candidates_keep_both_limits_and_come_again() -> None:
    from boardless_models.training.search import CYCLE_LIMIT, candidate

    drawn = [candidate(1, number) for number in range(20)]
    assert len({network.layers for network in drawn}) > 15
    for number, network in enumerate(drawn):
        assert network_bytes(network) <= MODEL_BUDGET_BYTES
        cycles = network_cycles(network)
        assert cycles is not None
        assert cycles <= CYCLE_LIMIT
        assert candidate(1, number) == network


def test_a_search_goes_on_where_its_log_ends(few: Dataset, tmp_path: Path) -> None:
    from boardless_models.data.network import network_from_json
    from boardless_models.training.search import read_log, search

    recipe = replace(SEARCH, epochs=1)
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    trials = list(search(whole, few, 1, recipe, 2))
    networks = [network_from_json(trial.network) for trial in trials]
    assert [network_bytes(network) for network in networks] == [trial.bytes for trial in trials]
    lines = whole.read_text().splitlines()
    cut.write_text(lines[0] + "\n" + lines[1][:40])
    assert [trial.candidate for trial in search(cut, few, 1, recipe, 2)] == [1]
    assert cut.read_text() == whole.read_text()
    with pytest.raises(ModelError, match="the log of another search"):
        list(search(cut, few, 2, recipe, 3))
    cut.write_text("[]\n" + lines[1])
    with pytest.raises(ModelError, match=r"cut.jsonl:1: not a trial"):
        read_log(cut)


def test_committed_log_says_what_its_networks_cost() -> None:
    from boardless_models.data.network import network_from_json
    from boardless_models.training.search import CYCLE_LIMIT, read_log

    trials = read_log(LOG)
    assert [trial.candidate for trial in trials] == list(range(34))
    for trial in trials:
        network = network_from_json(trial.network)
        assert (trial.bytes, trial.macs) == (network_bytes(network), network_macs(network))
        assert trial.bytes <= MODEL_BUDGET_BYTES
        # Of the kernels that there were.
        assert trial.cycles <= CYCLE_LIMIT
        assert trial.epochs >= 1
