"""What an engine offers is asked in one way, and a wrapper loses none of it."""

from __future__ import annotations

from typing import Any

import pytest

from boardless_sim.engines.engine import Capability, Engine
from boardless_sim.engines.gdb.qemu import QemuEngine
from boardless_sim.engines.mailbox.fed import MailboxFed
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.renode.engine import RenodeEngine
from boardless_sim.errors import EngineError
from boardless_sim.faults.board import SupplyCut
from tests.unit.running.fake_engine import FakeEngine

OPERATIONS = [name for name, value in vars(Engine).items() if callable(value) and name[0] != "_"]
# Each capability that stands for operations of its own, and these.
OFFERED: dict[Capability, tuple[tuple[str, tuple[Any, ...]], ...]] = {
    Capability.STACK_MARK: (("stack_mark", ()),),
    Capability.CAMERA_FAULTS: (("set_camera_faults", ([],)),),
    Capability.BOARD_FAULTS: (("inject", (SupplyCut(), 0.0)),),
    Capability.CAPTURE_TIMES: (("captures", ()),),
    Capability.CALL_COUNTS: (("count_calls", ("nn_run",)), ("call_counts", ())),
    Capability.MAILBOX: (("ask_for_layers", ()),),
}
OF_A_CAMERA = {"set_camera_faults", "captures"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_mailbox_around_an_engine_loses_no_operation(operation: str) -> None:
    own = operation in vars(MailboxFed)
    assert own is (operation not in OF_A_CAMERA), f"{operation}: forwarded {own}"


def test_a_mailbox_takes_the_place_of_the_camera_and_of_nothing_else() -> None:
    inner = NativeEngine()
    camera = {Capability.CAMERA, Capability.CAMERA_FAULTS, Capability.CAPTURE_TIMES}
    assert MailboxFed(inner).capabilities == inner.capabilities - camera | {Capability.MAILBOX}


@pytest.mark.parametrize("kind", [NativeEngine, RenodeEngine, QemuEngine, FakeEngine])
@pytest.mark.parametrize("capability", OFFERED)
def test_an_engine_has_the_operations_of_what_it_offers(
    kind: type[Engine], capability: Capability
) -> None:
    has = [name in vars(kind) for name, _ in OFFERED[capability]]
    assert all(has) == any(has) == (capability in kind.capabilities)


@pytest.mark.parametrize(
    ("capability", "operation", "arguments"),
    [(kind, *call) for kind, calls in OFFERED.items() for call in calls if call[0] != "stack_mark"],
)
def test_an_operation_that_is_not_offered_says_so(
    capability: Capability, operation: str, arguments: tuple[Any, ...]
) -> None:
    message = f"^engine fake: no {capability.value}, expected one that offers it$"
    with pytest.raises(EngineError, match=message):
        getattr(FakeEngine(), operation)(*arguments)
