"""The core is refused when it was built from other sources than the Python that it talks to."""

from __future__ import annotations

import ctypes

import pytest

from boardless_sim.core import library
from boardless_sim.errors import EngineError


@pytest.mark.parametrize("structure", library.SHARED_STRUCTURES)
def test_each_structure_that_is_shared_has_the_size_of_the_core_s(
    structure: type[ctypes.Structure], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Longer(structure):  # type: ignore[misc, valid-type]
        _fields_ = (("more", ctypes.c_uint64),)

    others = [Longer if one is structure else one for one in library.SHARED_STRUCTURES]
    monkeypatch.setattr(library, "SHARED_STRUCTURES", others)
    with pytest.raises(EngineError, match=r"Longer has \d+ bytes, expected \d+: built from other"):
        library.load_core()


def test_the_core_shares_no_other_structure() -> None:
    assert library.load_core().core_structure_bytes(len(library.SHARED_STRUCTURES)) == 0
