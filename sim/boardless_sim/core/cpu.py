"""A Cortex-M4F: Unicorn, the C core, and the memories."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int, c_size_t, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from unicorn import (
    UC_ARCH_ARM,
    UC_MODE_THUMB,
    UC_PROT_EXEC,
    UC_PROT_NONE,
    UC_PROT_READ,
    UC_PROT_WRITE,
    UC_TLB_VIRTUAL,
    Uc,
    UcError,
)
from unicorn import arm_const as arm
from unicorn.unicorn_const import (
    UC_HOOK_BLOCK,
    UC_HOOK_CODE,
    UC_HOOK_INSN_INVALID,
    UC_HOOK_INTR,
    UC_HOOK_MEM_INVALID,
    UC_HOOK_TLB_FILL,
)

from boardless_sim.core.alignment import alignment_of
from boardless_sim.core.blocks import to_core
from boardless_sim.core.library import (
    ANALYSE,
    DEVICE_READ,
    DEVICE_WRITE,
    UNICORN,
    Callbacks,
    CoreRecord,
    Shared,
    address_of,
    load_core,
    unicorn_api,
)
from boardless_sim.core.timing import REFILL, Refill, analyse_block
from boardless_sim.errors import EngineError

NEVER = 1 << 62
UNUSED_PSP = 0xFFFF_FFFF
REGISTERS = {
    **{f"r{number}": getattr(arm, f"UC_ARM_REG_R{number}") for number in range(13)},
    "sp": arm.UC_ARM_REG_SP,
    "r13": arm.UC_ARM_REG_SP,
    "lr": arm.UC_ARM_REG_LR,
    "r14": arm.UC_ARM_REG_LR,
    "xpsr": arm.UC_ARM_REG_XPSR,
    "msp": arm.UC_ARM_REG_MSP,
    "psp": arm.UC_ARM_REG_PSP,
    "control": arm.UC_ARM_REG_CONTROL,
    "primask": arm.UC_ARM_REG_PRIMASK,
    "basepri": arm.UC_ARM_REG_BASEPRI,
    "faultmask": arm.UC_ARM_REG_FAULTMASK,
    "fpscr": arm.UC_ARM_REG_FPSCR,
}

_SLOW_FLASH = 1 << 32  # CORE_SLOW_FLASH of core.h: no address of the core's
_FLASH_STORES = 3 << 32  # CORE_FLASH_STORES
_GUARDED = 2 << 32  # CORE_GUARDED
_CLREX = bytes.fromhex("bff32f8f")


class Reason(IntEnum):
    """Why the core gave control back (`core_reason` of shared.h)."""

    EVENT = 1
    IDLE = 2
    LOCKUP = 3
    DEBUG = 4
    RESET = 5
    CALLBACK = 6
    UNKNOWN = 7
    MARK = 8
    BREAK = 9
    STACK = 10
    DEEP = 11
    AWAKE = 12
    ASLEEP = 13


class _Analysis(IntEnum):
    """What the analysis of a block came to (`core_analysis` of shared.h)."""

    DONE = 0
    FAILED = 1
    HOOKED = 2


_REASONS = {int(reason): reason for reason in Reason}  # a look-up is cheaper than Reason(number)


class RegionKind(IntEnum):
    """What kind of device region an access falls into (`region_kind` of core.h)."""

    DEVICE = 0
    PPB = 1
    SRAM_ALIAS = 2
    DEVICE_ALIAS = 3


class DeviceBus(Protocol):
    """Who answers accesses to devices that the core does not know."""

    def device_read(self, address: int, size: int) -> int:
        """The value of `size` bytes."""

    def device_write(self, address: int, size: int, value: int) -> None:
        """Store `value`."""


class HostMemory:
    """Host memory behind a range of the address space."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._buffer = ctypes.create_string_buffer(size)
        self.address = ctypes.addressof(self._buffer)
        self.view = memoryview(self._buffer).cast("B")


@dataclass(frozen=True)
class CpuSnapshot:
    """What `Cpu.snapshot` found: Unicorn's registers, the C core with the RAM, the Flash."""

    registers: object
    core: ctypes.Array[ctypes.c_char]
    flash: bytes


class Cpu:
    """Executes code; `run` comes back for each `Reason`."""

    def __init__(self, devices: DeviceBus, refill: Refill = REFILL) -> None:
        self._library = load_core()
        self._devices = devices
        self._refill = refill
        self._uc = Uc(UC_ARCH_ARM, UC_MODE_THUMB)
        self._uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        self._api = unicorn_api()
        self._callbacks = Callbacks(
            ANALYSE(self._guarded_analyse),
            DEVICE_READ(self._guarded_read),
            DEVICE_WRITE(self._guarded_write),
        )
        self._core = self._library.core_create(
            self._uc._uch, ctypes.addressof(self._api), ctypes.addressof(self._callbacks)
        )
        if not self._core:
            raise EngineError("native engine: no memory for the CPU core")
        self.shared = Shared.from_address(self._core)
        self.shared.next_event = NEVER
        self._memories: list[HostMemory] = []
        self._regions: list[int] = []
        self._code_slots = 0
        self._rams: list[tuple[int, int]] = []
        self._error: BaseException | None = None
        self._hook_handles: list[c_size_t] = []
        self._marks: set[int] = set()
        self._last_flash = b""
        self._hooked_divides: set[int] = set()
        self._hooked_accesses: set[int] = set()
        self._flash = (0, HostMemory(0))
        self._install_hooks()

    def close(self) -> None:
        """Free the core. Harmless twice."""
        if self._core:
            for region in self._regions:
                self._library.core_region_destroy(region)
            self.shared = Shared.from_buffer_copy(self.shared)
            self._library.core_destroy(self._core)
            self._core = None
            self._uc = None

    @property
    def library(self) -> ctypes.CDLL:
        """The C core's functions, for what else is part of the core."""
        return self._library

    @property
    def core(self) -> int:
        """The address of the C core's state."""
        return int(self._core)

    # ---- memory map ----

    def map_code(self, memory: HostMemory, base: int, *, writable: bool) -> None:
        """Memory that code runs from."""
        self._map(memory, base, UC_PROT_READ | UC_PROT_EXEC | (UC_PROT_WRITE if writable else 0))
        if self._library.core_set_code(self._core, self._code_slots, base, memory.size):
            raise EngineError("native engine: no memory for the block table")
        self._code_slots += 1

    def set_flash(self, memory: HostMemory, base: int) -> None:
        """Which memory is the Flash, whose lines may cost wait states."""
        self._flash = (base, memory)
        if self._library.core_set_flash(self._core, base, memory.size, memory.address):
            raise EngineError("native engine: no memory for the Flash lines")
        self._map_callbacks(_SLOW_FLASH, memory.size, self._core, "core_on_flash_read", None)
        region = self._library.core_region_create(self._core, base, int(RegionKind.DEVICE))
        self._regions.append(region)
        self._map_callbacks(_FLASH_STORES, memory.size, region, "core_on_read", "core_on_write")
        self._map_guarded(memory, base)

    def set_flash_acr(self, acr: int) -> None:
        """FLASH_ACR was written: wait states, prefetch and caches from the next block on."""
        self._library.core_set_flash_acr(self._core, acr)

    def set_identity(self, idcode: int, priority_bits: int) -> None:
        """What DBGMCU_IDCODE reads, and how many bits of a priority the NVIC has."""
        self._library.core_set_identity(self._core, idcode, priority_bits)

    def send_event(self) -> None:
        """An event from outside the core, for WFE."""
        self._library.core_send_event(self._core)

    def bus_error(self, address: int) -> None:
        """For who answers an access of the core: nothing answers there after all."""
        self._library.core_bus_error(self._core, address)

    def stall(self, cycles: int) -> None:
        """For who answers an access of the core: it takes so many cycles more."""
        self._library.core_stall(self._core, cycles)

    def map_alias(self, memory: HostMemory, base: int) -> None:
        """A second, read-only address of a code memory."""
        self.map_code(memory, base, writable=False)

    def keep_clrex(self, address: int) -> None:
        """Where the core may run a CLREX: the only way to Unicorn's exclusive monitor."""
        self._uc.mem_write(address, _CLREX)
        self._library.core_set_clrex(self._core, address)

    def set_stack_bounds(self, bounds: Sequence[int]) -> None:
        """Ascending addresses where an object or a free area ends: no stack may cross one."""
        table = (c_uint32 * len(bounds))(*bounds)
        if self._library.core_set_stack_bounds(self._core, table, len(bounds)):
            raise EngineError("native engine: no memory for the bounds of stacks")

    def map_data(self, memory: HostMemory, base: int, *, writable: bool) -> None:
        """Memory that code does not run from."""
        self._map(memory, base, UC_PROT_READ | (UC_PROT_WRITE if writable else 0))

    def watch_ram(self, memory: HostMemory, base: int, *, executable: bool) -> None:
        """Memory that programs write: compared before a polling loop is skipped."""
        slot = len(self._rams)
        if self._library.core_set_ram(
            self._core, slot, base, memory.size, memory.address, int(executable)
        ):
            raise EngineError("native engine: no memory for the RAM copy")
        self._rams.append((base, memory.size))
        self._map_guarded(memory, base)

    def _map_guarded(self, memory: HostMemory, base: int) -> None:
        """Where pages stand that the MPU allows in part only: the core looks at each access.

        Without any right, so that a refusal ends the instruction at hand and not its block.
        """
        at = _GUARDED + base
        region = self._library.core_region_create(self._core, base, int(RegionKind.DEVICE))
        self._regions.append(region)
        self._map_callbacks(
            at, memory.size, region, "core_on_guarded_read", "core_on_guarded_write"
        )
        self._uc.mem_protect(at, memory.size, UC_PROT_NONE)
        self.add_hook(UC_HOOK_MEM_INVALID, "core_on_guarded_access", at, at + memory.size - 1)

    def map_region(self, base: int, size: int, kind: RegionKind) -> None:
        """Addresses answered by the core or by the device bus."""
        region = self._library.core_region_create(self._core, base, int(kind))
        self._regions.append(region)
        self._map_callbacks(base, size, region, "core_on_read", "core_on_write")

    def _map_callbacks(self, base: int, size: int, user: int, read: str, write: str | None) -> None:
        """Loads and stores there call functions of the core; without `write` no store comes."""
        error = UNICORN.uc_mmio_map(
            self._uc._uch,
            c_uint64(base),
            c_size_t(size),
            c_void_p(address_of(getattr(self._library, read))),
            c_void_p(user),
            c_void_p(None if write is None else address_of(getattr(self._library, write))),
            c_void_p(user),
        )
        if error:
            raise EngineError(f"native engine: cannot map {base:#010x} (Unicorn error {error})")

    def _map(self, memory: HostMemory, base: int, protection: int) -> None:
        self._uc.mem_map_ptr(base, memory.size, protection, memory.address)
        self._memories.append(memory)

    def map_done(self) -> None:
        """Every memory is mapped: catch the accesses to anything else.

        Unicorn stores to a page at full speed only where no hook asks for its invalid accesses.
        """
        start = 0
        for base, size in sorted(self._rams):
            self.add_hook(UC_HOOK_MEM_INVALID, "core_on_invalid_access", start, base - 1)
            start = base + size
        self.add_hook(UC_HOOK_MEM_INVALID, "core_on_invalid_access", start, 0xFFFF_FFFF)

    def _install_hooks(self) -> None:
        for kind, name in (
            (UC_HOOK_BLOCK, "core_on_block"),
            (UC_HOOK_INTR, "core_on_interrupt"),
            (UC_HOOK_INSN_INVALID, "core_on_invalid_instruction"),
            (UC_HOOK_TLB_FILL, "core_on_page"),
        ):
            self.add_hook(kind, name)
        self._uc.ctl_set_tlb_mode(UC_TLB_VIRTUAL)
        self._uc.ctl_exits_enabled(True)  # run until stopped, never until an address

    def add_hook(self, kind: int, name: str, first: int = 1, last: int = 0) -> c_size_t:
        """For addresses `first` to `last`; for all of them when `last` comes before `first`."""
        handle = c_size_t()
        error = UNICORN.uc_hook_add(
            self._uc._uch,
            ctypes.byref(handle),
            c_int(kind),
            c_void_p(address_of(getattr(self._library, name))),
            c_void_p(self._core),
            c_uint64(first),
            c_uint64(last),
        )
        if error:
            raise EngineError(f"native engine: Unicorn refused a hook (error {error})")
        self._hook_handles.append(handle)
        return handle

    def remove_hook(self, handle: c_size_t) -> None:
        """Give a hook back; code that was translated with it still calls it."""
        self._hook_handles.remove(handle)
        UNICORN.uc_hook_del(self._uc._uch, handle)

    def forget_translation(self, address: int, size: int) -> None:
        """Code there is translated anew, with the hooks that it has then."""
        self._uc.ctl_remove_cache(address, address + size)

    def forget_translations(self) -> None:
        """All code is translated anew."""
        self._uc.ctl_flush_tb()

    def snapshot(self) -> CpuSnapshot:
        """Registers, core and memories as they are; only this CPU can take them back."""
        core = ctypes.create_string_buffer(self._library.core_snapshot_bytes(self._core))
        self._library.core_snapshot(self._core, ctypes.addressof(core))
        flash = bytes(self._flash[1].view)
        if flash == self._last_flash:
            flash = self._last_flash  # hardly ever written: one copy for all snapshots
        self._last_flash = flash
        return CpuSnapshot(self._uc.context_save(), core, flash)

    def restore(self, snapshot: CpuSnapshot) -> None:
        """Be again what the snapshot found."""
        self._uc.context_restore(snapshot.registers)
        flash = self._flash[1]
        if bytes(flash.view) != snapshot.flash:
            flash.view[:] = snapshot.flash
            self._library.core_forget_code(self._core)
        self._library.core_restore(self._core, ctypes.addressof(snapshot.core))

    # ---- running ----

    def power_on(self, vector_table: int) -> None:
        """Take SP and PC from the vector table; every core register to its reset value."""
        self._library.core_power_on(self._core, vector_table)

    def run(self) -> Reason:
        """Execute until the core gives control back. Raises what a callback raised."""
        reason = _REASONS[self._library.core_run(self._core)]
        if reason is Reason.CALLBACK and self._error is not None:
            error, self._error = self._error, None
            self.shared.callback_failed = 0
            raise error
        return reason

    def mark(self, address: int, marked: bool = True) -> None:
        """Come back with `Reason.MARK` before the basic block that starts at `address`."""
        if marked:
            self._marks.add(address)
        else:
            self._marks.discard(address)
        self._library.core_mark(self._core, address, int(marked))

    def lowest_msp(self, start: int, end: int) -> int | None:
        """How low code from `start` up to `end` took the main stack; None where it never did."""
        return int(self._library.core_lowest_msp(self._core, start, end)) or None

    def now(self) -> int:
        """Virtual time, exact for the device access in progress."""
        return int(self._library.core_now(self._core))

    def place(self) -> int:
        """The address of the instruction whose access is in progress, else of the next one."""
        return int(self._library.core_pc(self._core))

    def set_line(self, exception: int, asserted: bool) -> None:
        """Drive an interrupt line; `exception` is the interrupt number plus 16."""
        self._library.core_set_line(self._core, exception, asserted)

    def set_next_event(self, cycle: int) -> None:
        """When to come back with `Reason.EVENT`; also for the slice that is running."""
        self.shared.next_event = cycle
        if cycle < self.shared.deadline:
            self.shared.deadline = cycle

    def breakpoint_fault(self) -> bool:
        """BKPT with no debugger: HardFault. False: lockup."""
        return bool(self._library.core_breakpoint_fault(self._core))

    def is_asleep_for_good(self) -> bool:
        """Whether the CPU sleeps with no interrupt enabled that could wake it."""
        return bool(self.shared.sleeping) and not self._library.core_can_wake(self._core)

    # ---- state ----

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory. Raises `EngineError` where none is mapped."""
        try:
            return bytes(self._uc.mem_read(address, size))
        except UcError as error:
            raise EngineError(f"no memory at {address:#010x}-{address + size - 1:#010x}") from error

    def peek(self, address: int) -> int | None:
        """A core register's word without the effects of reading it; None where there is none."""
        value = c_uint32()
        found = self._library.core_peek(self._core, address, ctypes.addressof(value))
        return value.value if found else None

    def poke(self, address: int, size: int, value: int) -> bool:
        """Write a core register as a debugger does; False where there is none."""
        return bool(self._library.core_poke(self._core, address, size, value))

    def trace(self, wanted: bool = True) -> None:
        """Keep from here on what happens: accesses to registers, exceptions."""
        self._library.core_trace(self._core, int(wanted))

    def traced(self) -> list[CoreRecord]:
        """What happened since the last call. Raises `EngineError` where some of it was lost."""
        records, lost = ctypes.POINTER(CoreRecord)(), c_uint64()
        count = self._library.core_traced(
            self._core, ctypes.addressof(records), ctypes.addressof(lost)
        )
        if lost.value:
            raise EngineError(f"trace: {lost.value} records lost, no memory for them")
        return [CoreRecord.from_buffer_copy(record) for record in records[:count]]

    def cover(self) -> None:
        """Note from here on which blocks run, and which way each is left."""
        if self._library.core_cover(self._core, 1):
            raise EngineError("native engine: no memory for coverage")

    def covered(self, base: int, size: int) -> bytes:
        """Of the code memory at `base`, a byte for each halfword: 1 a block began here and ran,

        2 it was left for what follows it, 4 for somewhere else.
        """
        found = self._library.core_covered(self._core, base)
        return ctypes.string_at(found, size // 2) if found else bytes(size // 2)

    def block_sizes(self) -> dict[int, int]:
        """Bytes of every block that was met, by its address."""
        addresses = ctypes.POINTER(c_uint32)()
        count = self._library.core_analysed(self._core, ctypes.addressof(addresses))
        return {
            address: int(self._library.core_block_bytes(self._core, address))
            for address in addresses[:count]
        }

    def forget_code(self) -> None:
        """The Flash has other contents: analyse and translate it anew."""
        self._library.core_forget_code(self._core)

    @property
    def flash(self) -> tuple[int, HostMemory]:
        """Where the Flash begins, and what it holds."""
        return self._flash

    def write(self, address: int, data: bytes) -> None:
        """Write memory, Flash too. Code that was already translated is forgotten."""
        try:
            self._uc.mem_write(address, data)
        except UcError as error:
            raise EngineError(
                f"no memory at {address:#010x}-{address + len(data) - 1:#010x}"
            ) from error

    def register(self, name: str) -> int:
        """A core register by name. Raises `EngineError` for an unknown one."""
        if name in ("pc", "r15"):
            return self.shared.pc & ~1
        if name not in REGISTERS:
            raise EngineError(f"register {name!r}, expected one of {', '.join(REGISTERS)}, pc")
        return int(self._uc.reg_read(REGISTERS[name])) & 0xFFFF_FFFF

    def set_register(self, name: str, value: int) -> None:
        """Write a core register by name."""
        if name in ("pc", "r15"):
            self.shared.pc = value | 1
            return
        self._uc.reg_write(REGISTERS[name], value)

    def double(self, number: int) -> int:
        """The bits of d0 to d15."""
        return int(self._uc.reg_read(arm.UC_ARM_REG_D0 + number))

    def set_double(self, number: int, bits: int) -> None:
        """Write d0 to d15."""
        self._uc.reg_write(arm.UC_ARM_REG_D0 + number, bits)

    # ---- callbacks from the core: an exception must not pass through C ----

    def _guarded_analyse(self, address: int, size: int) -> int:
        try:
            return self._analyse(address, bytes(self._uc.mem_read(address, size)))
        except BaseException as error:  # noqa: BLE001
            self._fail(error)
            return _Analysis.FAILED

    def _analyse(self, address: int, code: bytes) -> int:
        facts = analyse_block(address, code, self._refill)
        alignment = alignment_of(code, facts, self._literal)
        block, accesses = to_core(facts, alignment, marked=address in self._marks)
        if self._library.core_set_block(
            self._core, address, ctypes.addressof(block), ctypes.addressof(accesses)
        ):
            raise EngineError("native engine: no memory for the access table")
        divides = {address + offset for offset in facts.divides} - self._hooked_divides
        for divide in divides:
            self.add_hook(UC_HOOK_CODE, "core_on_divide", divide, divide)
        looks = {address + offset for offset in alignment.looks} - self._hooked_accesses
        for access in looks:
            self._library.core_look_at(self._core, access)
        self._hooked_divides |= divides
        self._hooked_accesses |= looks
        return _Analysis.HOOKED if divides or looks else _Analysis.DONE

    def _literal(self, address: int) -> int | None:
        base, flash = self._flash
        if not base <= address <= base + flash.size - 4:
            return None
        return int.from_bytes(flash.view[address - base : address - base + 4], "little")

    def _guarded_read(self, address: int, size: int) -> int:
        try:
            return self._devices.device_read(address, size)
        except BaseException as error:  # noqa: BLE001
            self._fail(error)
            return 0

    def _guarded_write(self, address: int, size: int, value: int) -> None:
        try:
            self._devices.device_write(address, size, value)
        except BaseException as error:  # noqa: BLE001
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
        self.shared.callback_failed = 1
        self.shared.deadline = 0
