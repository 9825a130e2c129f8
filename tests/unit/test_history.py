"""A history that lets go of its beginning keeps the numbers of the rest."""

from __future__ import annotations

import pytest

from boardless_sim.errors import EngineError
from boardless_sim.history import History


def letters(text: str, keep: int) -> History[str]:
    found: History[str] = History()
    for letter in text:
        found.append(letter)
        found.forget(keep)
    return found


def test_what_is_kept_has_its_number() -> None:
    kept = letters("abcdefgh", 3)
    assert len(kept) == 8
    assert (kept[7], kept[-1], kept[4]) == ("h", "h", "e")
    assert kept[5:] == ["f", "g", "h"]
    assert kept[-2:] == ["g", "h"]
    assert kept[8:] == []
    assert "".join(reversed(kept)) == "hgfe"


def test_what_was_let_go_is_never_taken_for_nothing() -> None:
    kept = letters("abcdefgh", 3)
    with pytest.raises(EngineError, match=r"^number 0 was let go, expected 4 or later$"):
        list(kept)
    with pytest.raises(EngineError, match=r"^number 3 was let go"):
        kept[3]
    with pytest.raises(EngineError, match=r"^number 2 was let go"):
        kept[2:]
    with pytest.raises(IndexError):
        kept[8]


def test_memory_is_bounded_and_a_whole_history_is_a_list() -> None:
    assert list(letters("abc", 3)) == ["a", "b", "c"]
    assert letters("abc", 3)[1:2] == ["b"]
    longest = 0
    kept: History[int] = History()
    for number in range(10_000):
        kept.append(number)
        kept.forget(10)
        longest = max(longest, sum(1 for _ in reversed(kept)))
    assert longest == 20
