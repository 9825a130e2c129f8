"""Loads the C core and the Unicorn functions that it calls."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import c_bool, c_int8, c_int32, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from pathlib import Path

from unicorn.unicorn_py3 import unicorn as _unicorn

from boardless_sim.errors import EngineError

UNICORN: ctypes.CDLL = _unicorn.uclib

_API = (
    "uc_reg_read",
    "uc_reg_write",
    "uc_mem_read",
    "uc_mem_write",
    "uc_emu_start",
    "uc_emu_stop",
    "uc_ctl",
    "uc_hook_add",
    "uc_hook_del",
)

TRAINS = 8  # CORE_TRAINS of shared.h
TRAIN_SENT_BYTES = 256

ANALYSE = ctypes.CFUNCTYPE(c_int32, c_uint32, c_uint32)
DEVICE_READ = ctypes.CFUNCTYPE(c_uint32, c_uint32, c_uint32)
DEVICE_WRITE = ctypes.CFUNCTYPE(None, c_uint32, c_uint32, c_uint32)


RECENT = 8  # CORE_RECENT of shared.h


class Api(ctypes.Structure):
    """`core_api` of shared.h."""

    _fields_ = [(name, c_void_p) for name in _API]


class Callbacks(ctypes.Structure):
    """`core_callbacks` of shared.h."""

    _fields_ = [("analyse", ANALYSE), ("device_read", DEVICE_READ), ("device_write", DEVICE_WRITE)]


class Shared(ctypes.Structure):
    """`core_shared` of shared.h."""

    _fields_ = [
        *((name, c_uint64) for name in (
            "cycles", "instructions", "next_event", "deadline", "effects", "sleep_cycles",
            "skipped_cycles", "exceptions_taken", "systick_at", "handler_cycles", "handler_since",
            "sequence", "train_due",
        )),
        ("entered_at", c_uint64 * RECENT),
        *((name, c_uint32) for name in (
            "pc", "fast_forward", "callback_failed", "reset_requested", "sleeping", "fault_number",
            "fault_pc", "fault_cfsr", "fault_hfsr", "fault_address", "fault_has_address",
            "fault_sp", "fault_lr",
        )),
        ("fault_registers", c_uint32 * 13),
        *((name, c_uint32) for name in (
            "lowest_msp", "lowest_msp_pc", "lowest_psp",
            "active_exception", "interrupt_number", "probed_msp", "probed_psp", "stack_left",
            "stack_left_sp", "stack_left_pc", "stack_floor", "trains_ran",
            "tells_sleep",
        )),
        ("entered", c_uint32 * RECENT),
    ]  # fmt: skip

    cycles: int
    instructions: int
    next_event: int
    deadline: int
    effects: int
    sleep_cycles: int
    skipped_cycles: int
    exceptions_taken: int
    systick_at: int
    handler_cycles: int
    handler_since: int
    sequence: int
    train_due: int
    pc: int
    fast_forward: int
    callback_failed: int
    reset_requested: int
    sleeping: int
    fault_number: int
    fault_pc: int
    fault_lr: int
    fault_cfsr: int
    fault_hfsr: int
    fault_address: int
    fault_has_address: int
    fault_sp: int
    lowest_msp: int
    lowest_msp_pc: int
    lowest_psp: int
    active_exception: int
    interrupt_number: int
    probed_msp: int
    probed_psp: int
    stack_left: int
    stack_left_sp: int
    stack_left_pc: int
    stack_floor: int
    trains_ran: int
    tells_sleep: int
    entered_at: ctypes.Array[c_uint64]
    entered: ctypes.Array[c_uint32]
    fault_registers: ctypes.Array[c_uint32]


class CoreTrain(ctypes.Structure):
    """`core_train` of shared.h."""

    _fields_ = [
        *((name, c_uint64) for name in ("due", "sequence", "due_ps", "step_cycles")),
        ("steps_ns", c_void_p),
        *((name, c_uint64) for name in ("clock_cycle", "clock_ps", "clock_hz")),
        ("source", c_void_p),
        ("target", c_void_p),
        *((name, c_uint32) for name in (
            "is_lines", "ran", "left", "unmoved", "line_bytes", "shifting", "waiting", "last",
        )),
        ("sent", c_uint8 * TRAIN_SENT_BYTES),
    ]  # fmt: skip

    due: int
    sequence: int
    due_ps: int
    step_cycles: int
    steps_ns: int
    clock_cycle: int
    clock_ps: int
    clock_hz: int
    source: int
    target: int
    is_lines: int
    ran: int
    left: int
    unmoved: int
    line_bytes: int
    shifting: int
    waiting: int
    last: int
    sent: ctypes.Array[c_uint8]


class ArtCode(ctypes.Structure):
    """`art_code` of art.h."""

    _fields_ = [
        ("ran", c_uint64),
        ("epoch", c_uint32),
        ("first_line", c_uint32),
        ("last_line", c_uint32),
        ("last_line_cycles", c_uint16),
    ]


class CoreBlock(ctypes.Structure):
    """`core_block` of shared.h."""

    _fields_ = [
        ("code", ArtCode),
        ("first_access", c_uint32),
        ("first_literal", c_uint32),
        ("size_bytes", c_uint16),
        ("instructions", c_uint16),
        ("cycles", c_uint16),
        ("sp_drop_bytes", c_uint16),
        ("accesses", c_uint8),
        ("literals", c_uint8),
        ("in_flash", c_bool),
        ("flags", c_uint8),
        ("taken_cycles", c_uint8),
        ("target_cycles", c_uint8),
        ("aligned_bases", c_uint16),
        ("loop_keeps_bases", c_bool),
    ]


class BlockAccess(ctypes.Structure):
    """`core_access` of shared.h."""

    _fields_ = [
        ("displacement", c_uint32),
        ("cycles_before", c_uint16),
        ("span_bytes", c_uint16),
        ("instruction", c_uint8),
        ("base", c_int8),
        ("index", c_int8),
        ("shift", c_uint8),
        ("is_load", c_bool),
        ("width_bytes", c_uint8),
        ("must_align", c_bool),
    ]


class Where(ctypes.Structure):
    """`core_where` of debug.h."""

    _fields_ = [
        ("block_cycles", c_uint64),
        ("block_instructions", c_uint64),
        *((name, c_uint32) for name in (
            "block_address", "inside_block", "watch_address", "watch_kind", "active_count",
            "exceptions_taken", "caught", "block_count",
        )),
    ]  # fmt: skip

    block_cycles: int
    block_instructions: int
    block_address: int
    inside_block: int
    watch_address: int
    watch_kind: int
    active_count: int
    exceptions_taken: int
    caught: int
    block_count: int


class CoreRecord(ctypes.Structure):
    """`core_record` of debug.h."""

    _fields_ = [
        ("cycles", c_uint64),
        *((name, c_uint32) for name in ("address", "value", "pc")),
        *((name, c_uint16) for name in ("kind", "size_bytes")),
    ]

    cycles: int
    address: int
    value: int
    pc: int
    kind: int
    size_bytes: int


# In the order of core_structure_bytes() in life.c.
SHARED_STRUCTURES: tuple[type[ctypes.Structure], ...] = (
    Shared,
    ArtCode,
    CoreBlock,
    BlockAccess,
    Callbacks,
    Api,
    Where,
    CoreRecord,
    CoreTrain,
)

_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "core_create": (c_void_p, [c_void_p, c_void_p, c_void_p]),
    "core_destroy": (None, [c_void_p]),
    "core_structure_bytes": (c_uint32, [c_uint32]),
    "core_set_code": (c_int32, [c_void_p, c_uint32, c_uint32, c_uint32]),
    "core_set_flash": (c_int32, [c_void_p, c_uint32, c_uint32, c_void_p]),
    "core_set_identity": (None, [c_void_p, c_uint32, c_uint32]),
    "core_set_flash_acr": (None, [c_void_p, c_uint32]),
    "core_bus_error": (None, [c_void_p, c_uint32]),
    "core_send_event": (None, [c_void_p]),
    "core_stall": (None, [c_void_p, c_uint64]),
    "core_set_ram": (c_int32, [c_void_p, c_uint32, c_uint32, c_uint32, c_void_p, c_uint32]),
    "core_set_block": (c_int32, [c_void_p, c_uint32, c_void_p, c_void_p]),
    "core_look_at": (None, [c_void_p, c_uint32]),
    "core_mark": (None, [c_void_p, c_uint32, c_uint32]),
    "core_lowest_msp": (c_uint32, [c_void_p, c_uint32, c_uint32]),
    "core_power_on": (None, [c_void_p, c_uint32]),
    "core_run": (c_int32, [c_void_p]),
    "core_now": (c_uint64, [c_void_p]),
    "core_pc": (c_uint32, [c_void_p]),
    "core_set_line": (None, [c_void_p, c_uint32, c_uint32]),
    "core_can_wake": (c_int32, [c_void_p]),
    "core_set_clrex": (None, [c_void_p, c_uint32]),
    "core_set_stack_bounds": (c_int32, [c_void_p, c_void_p, c_uint32]),
    "core_breakpoint_fault": (c_int32, [c_void_p]),
    "core_attach": (c_int32, [c_void_p]),
    "core_detach": (None, [c_void_p]),
    "core_break": (None, [c_void_p, c_uint32, c_uint32]),
    "core_watch_access": (None, [c_void_p, *[c_uint32] * 4]),
    "core_step": (None, [c_void_p, c_uint64, c_uint32, c_uint32, c_uint32]),
    "core_settle": (None, [c_void_p]),
    "core_mute": (None, [c_void_p, c_uint32]),
    "core_catch": (None, [c_void_p, c_uint32]),
    "core_poke": (c_uint32, [c_void_p, c_uint32, c_uint32, c_uint32]),
    "core_trace": (None, [c_void_p, c_uint32]),
    "core_traced": (c_uint32, [c_void_p, c_void_p, c_void_p]),
    "core_cover": (c_int32, [c_void_p, c_uint32]),
    "core_block_bytes": (c_uint32, [c_void_p, c_uint32]),
    "core_covered": (c_void_p, [c_void_p, c_uint32]),
    "core_go_on": (None, [c_void_p]),
    "core_halt_at": (None, [c_void_p, c_uint64]),
    "core_want_stop": (None, [c_void_p, c_uint32]),
    "core_leave_block": (None, [c_void_p, c_uint64, c_uint64]),
    "core_get_where": (None, [c_void_p, c_void_p]),
    "core_peek": (c_uint32, [c_void_p, c_uint32, c_void_p]),
    "core_analysed": (c_uint32, [c_void_p, c_void_p]),
    "core_forget_code": (None, [c_void_p]),
    "core_snapshot_bytes": (c_uint64, [c_void_p]),
    "core_snapshot": (None, [c_void_p, c_void_p]),
    "core_restore": (None, [c_void_p, c_void_p]),
    "core_train_at": (c_void_p, [c_void_p, c_uint32]),
    "core_region_create": (c_void_p, [c_void_p, c_uint32, c_uint32]),
    "core_region_destroy": (None, [c_void_p]),
}


def unicorn_api() -> Api:
    """The addresses of Unicorn's functions, so that the core needs no link to it."""
    return Api(*(address_of(getattr(UNICORN, name)) for name in _API))


def address_of(function: Callable[..., object]) -> int:
    """The machine address of a C function."""
    return ctypes.cast(function, c_void_p).value or 0  # type: ignore[arg-type]


def load_core() -> ctypes.CDLL:
    """The compiled core. Raises `EngineError` that says how to get it."""
    path = Path(__file__).with_name("_core.so")
    if not path.is_file():
        raise EngineError(
            f"{path}: the C core is not built; install a C compiler (Debian: build-essential) "
            "and install boardless again"
        )
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise EngineError(f"{path}: cannot be loaded ({error}); install boardless again") from error
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    for number, structure in enumerate(SHARED_STRUCTURES):
        found, expected = library.core_structure_bytes(number), ctypes.sizeof(structure)
        if found != expected:
            raise EngineError(
                f"{path}: {structure.__name__} has {found} bytes, expected {expected}: "
                "built from other sources, install boardless again"
            )
    return library
