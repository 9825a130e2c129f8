from __future__ import annotations

from pathlib import Path

import pytest

from boardless.gateway.command import anim, led, servo
from boardless.gateway.event import EventKind, SceneEvent
from boardless.gateway.mapping import load_mapping
from boardless.gateway.packets import Encoding
from boardless_sim.errors import ConfigError

JUMP = '[[on]]\nevent = "jump"\ncommand = "anim"\nid = 1\ndur = 1000\n'
SHIPPED = Path("firmware/apps/command/mapping.toml")


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    return path


def event(kind: EventKind, score: float = 1.0) -> SceneEvent:
    return SceneEvent(kind, 0.0, 0.1, score)


def test_the_shipped_mapping_has_every_event() -> None:
    reactions = load_mapping(SHIPPED)
    assert set(reactions.rules) == set(EventKind)
    assert reactions.commands(event(EventKind.TURN)) == (anim(2, 1000), servo(135, 800))
    assert reactions.commands(event(EventKind.ENTER)) == (anim(4, 1200), led(0x00FF00, 1000))


def test_a_faint_event_is_left_out(tmp_path: Path) -> None:
    reactions = load_mapping(write(tmp_path, JUMP + "least-score = 60\n"))
    assert reactions.commands(event(EventKind.JUMP, 0.5)) == ()
    assert reactions.commands(event(EventKind.JUMP, 0.6)) == (anim(1, 1000),)


def test_the_link_is_chosen(tmp_path: Path) -> None:
    reactions = load_mapping(write(tmp_path, '[link]\nform = "json"\nmac = 32\n' + JUMP))
    assert (reactions.form, reactions.mac_bytes) == (Encoding.JSON, 32)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no [[on]]"),
        (JUMP.replace("jump", "dance"), "'jump'"),
        (JUMP.replace("anim", "fly"), "'anim'"),
        (JUMP.replace("id = 1", "id = 999"), "expected 0 to 255"),
        (JUMP.replace("id = 1\n", ""), "id"),
        (JUMP + "angle = 3\n", "unknown key 'angle'"),
        ("[link]\nmac = 12\n" + JUMP, "expected 16 or 32"),
        ("[link]\npassword = 'x'\n" + JUMP, "unknown key 'password'"),
        ("[[on]\n", "expected TOML"),
        (JUMP + "least-score = 101\n", "0 to 100"),
    ],
)
def test_a_mapping_that_is_wrong_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_mapping(write(tmp_path, text))
    assert why in str(caught.value)
    assert str(tmp_path / "mapping.toml") in str(caught.value)
