"""Where an engine is known to answer the self-test in its own way, and why.

What is listed here is shown with its reason and not held against the engine; everything else is a
difference. An entry that no longer appears is said too, so that the list stays true.

QEMU's entries were seen on 7.2, Renode's on 1.16.1 and found in its sources. The chip does what the
native engine does; its behaviour is that of the Armv7-M manual (DDI0403) and PM0214.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class DifferenceKind(Enum):
    """How an engine's answer differs."""

    FAILS = "fails"  # although the program is right
    VALUE = "value"  # passes, with a value of its own
    ABSENT = "absent"  # the engine cannot go on so far


@dataclass(frozen=True)
class KnownDifference:
    """One check that an engine answers in its own way."""

    check: str
    reason: str
    kind: DifferenceKind = DifferenceKind.FAILS


_NO_COUNTER = "the cycle counter (DWT CYCCNT) stands still"
_QEMU = (
    KnownDifference("ccm", "the machine has no core-coupled memory"),
    KnownDifference(
        "four_priority_bits", "interrupts have eight priority bits, an STM32F4 has four"
    ),
    KnownDifference("cycles_of_ten_nops", _NO_COUNTER),
    KnownDifference("systick_period_asleep", _NO_COUNTER),
    KnownDifference("systick_reference_clock", _NO_COUNTER),
    KnownDifference(
        "semihosting_call", "semihosting is off: it would open the host's files to the firmware"
    ),
    KnownDifference(
        "unaligned_strex",
        "STREX asks its monitor before its alignment (DDI0403 B2: ExclusiveMonitorsPass)",
    ),
)

_IN_BLOCKS = "counters move a translated block at a time: two reads in one block are equal"
_NO_BUS_FAULT = "there are no bus faults: a read where no device is gives 0 and a warning"
_CPU_ABORT = "a fetch where no memory is ends the run (CPU abort), whatever the memory map allows"
_NO_ALIGNMENT = "no access is asked for its alignment (DDI0403 A3.2.1)"
_UNALIGNED = (
    "ldrd", "strd", "ldm", "stm", "vldr", "vstm", "ldrex", "strex", "in_it", "ldr_trapped",
    "strh_trapped",
)  # fmt: skip
_NO_DIVIDE_TRAP = "CCR.DIV_0_TRP has no effect: a division by zero gives 0"
_NO_FEATURES = "MVFR0 and MVFR1 read as 0"
_FPCCR_ALONE = "FPCCR has neither THREAD nor the RDY bits (DDI0403 B3.2.21)"
_RENODE = (
    KnownDifference("mvfr0", _NO_FEATURES),
    KnownDifference("mvfr1", _NO_FEATURES),
    *(
        KnownDifference(check, _FPCCR_ALONE, DifferenceKind.VALUE)
        for check in ("fpccr_after_reset", "lazy_fp_pending", "lazy_fp_given_up", "lazy_fp_saved")
    ),
    *(KnownDifference(f"unaligned_{access}", _NO_ALIGNMENT) for access in _UNALIGNED),
    KnownDifference("divide_by_zero_trapped", _NO_DIVIDE_TRAP),
    KnownDifference("divide_by_zero_no_result", _NO_DIVIDE_TRAP),
    KnownDifference(
        "call_to_null_pc", "INVSTATE is the branch's: its address is stacked, not the target's"
    ),
    KnownDifference("return_without_thumb", "a return to code without the Thumb bit is UNDEFINSTR"),
    KnownDifference("wild_return", "no EXC_RETURN is refused (DDI0403 B1.5.8: INVPC)"),
    KnownDifference(
        "scs_unprivileged", "the System Control Space is refused by the MPU, as MemManage"
    ),
    KnownDifference(
        "exclusive_ends_with_exception",
        "an exception leaves the exclusive monitor set (DDI0403 B1.5.8 clears it)",
    ),
    KnownDifference("flags_kept", "MRS of APSR reads the GE bits as 0", DifferenceKind.VALUE),
    KnownDifference("nmi", "NMI waits until PRIMASK is cleared (DDI0403 B1.5.4: it never waits)"),
    KnownDifference(
        "faultmask", "what is pending is not taken when FAULTMASK is cleared, but with the next one"
    ),
    KnownDifference("cycles_of_ten_nops", _IN_BLOCKS),
    KnownDifference("systick_counts_down", _IN_BLOCKS),
    KnownDifference(
        "systick_reference_clock", "SysTick runs at the core clock only: CLKSOURCE reads as 1"
    ),
    KnownDifference("bus_fault_escalates", _NO_BUS_FAULT),
    KnownDifference("bus_fault_pc", _NO_BUS_FAULT),
    KnownDifference("bus_fault_cfsr", _NO_BUS_FAULT),
    KnownDifference("bus_fault_hfsr", _NO_BUS_FAULT),
    KnownDifference("bus_fault_bfar", _NO_BUS_FAULT),
    KnownDifference(
        "undefined_escalates",
        "a fault that SHCSR does not enable is taken all the same, and none becomes a HardFault",
    ),
    KnownDifference("bus_fault_own", _NO_BUS_FAULT),
    KnownDifference(
        "mpu_off", "its line is on its way when the next check ends the run", DifferenceKind.ABSENT
    ),
    KnownDifference("mem_manage_own", _CPU_ABORT, DifferenceKind.ABSENT),
    KnownDifference("no_execute_cfsr", _CPU_ABORT, DifferenceKind.ABSENT),
    KnownDifference(
        "masked_fault_escalates",
        "after that end; alone, an instruction whose fault BASEPRI masks would run for ever",
        DifferenceKind.ABSENT,
    ),
)
KNOWN: Mapping[str, tuple[KnownDifference, ...]] = {"qemu": _QEMU, "renode": _RENODE}
