from __future__ import annotations

import numpy as np
import pytest

from boardless.gateway.blob import HEIGHT, WIDTH
from boardless.gateway.clip import RATE, Scene, make_clip
from boardless.gateway.detect import detect
from boardless.gateway.event import EventKind, SceneEvent, Unsuited
from boardless.gateway.measure import measure

CLIPS, LEAST = 60, 0.95
FIRST_SEED = 70_000  # no clip of these was looked at while the detector was made


@pytest.mark.long
def test_in_the_stated_range_each_kind_is_found_as_promised() -> None:
    found = measure(make_clip(FIRST_SEED + number) for number in range(CLIPS))
    assert found.clips == CLIPS
    assert found.unsuited == 0
    for kind, tally in found.tallies.items():
        assert tally.found + tally.missed >= 20, kind
        assert tally.precision >= LEAST, kind
        assert tally.recall >= LEAST, kind


@pytest.mark.parametrize(
    ("scene", "why"),
    [
        (Scene(shake=3), "expected"),
        (Scene(moving_background=True), "background"),
        (Scene(objects=2), "expected one object"),
    ],
)
def test_a_scene_that_does_not_suit_is_said_so(scene: Scene, why: str) -> None:
    reasons: list[str] = []
    for seed in range(4):
        clip = make_clip(seed, scene)
        said = [each for each in detect(clip.frames()) if isinstance(each, Unsuited)]
        assert said
        reasons += [each.reason for each in said]
    assert any(why in reason for reason in reasons), reasons


def test_an_event_is_known_after_it_began() -> None:
    events = [each for each in detect(make_clip(3).frames()) if isinstance(each, SceneEvent)]
    assert events[0].kind == EventKind.ENTER
    assert events[-1].kind == EventKind.LEAVE
    assert all(0 <= each.decided_s - each.onset_s < 0.7 for each in events)
    assert all(0 < each.score <= 1 for each in events)


def test_an_empty_scene_has_no_event() -> None:
    chance = np.random.default_rng(1)
    frames = (
        (number / RATE, np.clip(chance.normal(120, 4, (HEIGHT, WIDTH)), 0, 255).astype(np.uint8))
        for number in range(90)
    )
    assert list(detect(frames)) == []
