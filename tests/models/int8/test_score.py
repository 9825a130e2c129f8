from __future__ import annotations

import numpy as np
import pytest

from boardless_models.int8.score import Decision, decide, score_step


def test_lowest_index_wins_a_tie() -> None:
    assert decide(np.array([3, 9, 9, 1], np.int8), 700).class_index == 1


def test_equal_logits_share_the_score() -> None:
    assert decide(np.zeros(10, np.int8), 700) == Decision(0, 10)


def test_a_far_winner_scores_a_hundred() -> None:
    logits = np.full(10, -128, np.int8)
    logits[4] = 127
    assert decide(logits, 700) == Decision(4, 100)


@pytest.mark.parametrize("scale", [0.05, 0.15, 0.3])
def test_score_is_the_softmax_to_two_points(scale: float) -> None:
    random = np.random.default_rng(3)
    for _ in range(200):
        logits = random.integers(-128, 128, 10).astype(np.int8)
        exponentials = np.exp((logits.astype(np.float64) - int(logits.max())) * scale)
        found = decide(logits, score_step(scale)).score
        assert abs(found - 100.0 / exponentials.sum()) <= 2.0
