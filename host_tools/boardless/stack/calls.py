"""The call graph: every function's walk, repeated until it is settled who never returns."""

from __future__ import annotations

from dataclasses import dataclass

from boardless.stack.frames import scan_function
from boardless.stack.program import Function, Program
from boardless.stack.scan import Fuel, Scan

# setjmp's partner goes back to a frame that is counted already
UNWINDING = frozenset({"longjmp", "_longjmp", "siglongjmp", "_Unwind_RaiseException"})
# Start-up code of Arm's library: it puts SP where the stack begins (`__user_initial_stackheap`)
BEGINNING = frozenset({"__user_setup_stackheap"})
# What ends a program by its name, with or without debug information.
ENDING = frozenset(
    {
        *("abort", "exit", "_exit", "_Exit", "quick_exit", "__assert", "__assert_func"),
        *("__stack_chk_fail", "__cxa_pure_virtual", "__cxa_deleted_virtual", "__cxa_throw"),
        *(
            "__cxa_rethrow",
            "__cxa_bad_cast",
            "__cxa_call_unexpected",
            "__cxa_throw_bad_array_length",
        ),
        *("_ZSt9terminatev", "_ZSt10unexpectedv", *UNWINDING),
    }
)
# What a system stops at when it finds itself broken, where it is seen that they never return.
PANICS = frozenset(
    {
        *("Error_Handler", "_Error_Handler", "vAssertCalled", "assert_failed", "chSysHalt"),
        *("core_panic", "panic_arch", "_assert_failure", "_assert_panic", "mbed_die", "mbed_error"),
        *("z_fatal_error", "k_sys_fatal_error_handler", "assert_post_action", "rust_begin_unwind"),
        *("__assert_fail", "__cxa_guard_abort", "up_assert", "_up_assert", "PANIC", "panic"),
        *("_ZSt17__throw_bad_allocv", "_ZSt20__throw_length_errorPKc", "_ZSt16__throw_bad_castv"),
        *("_ZSt25__throw_bad_function_callv", "_ZSt24__throw_out_of_range_fmtPKcz"),
        *("rt_assert_handler", "rt_hw_hard_fault_exception", "vApplicationStackOverflowHook"),
    }
)
PANICKING = ("core::panicking::", "core::option::expect_failed", "core::result::unwrap_failed")
_STEPS = 2_000_000


@dataclass(frozen=True)
class CallGraph:
    """Every function that a symbol names or a call reaches, walked."""

    functions: dict[int, Function]
    scans: dict[int, Scan]
    never_return: frozenset[int]


def call_graph(program: Program) -> CallGraph:
    """Walk every function. Functions without a symbol are found by who calls them."""
    functions = dict(program.functions)
    fuel = Fuel(_STEPS)
    never_return = {
        address for name in UNWINDING | ENDING for address in program.by_name.get(name, ())
    }
    scans = {address: scan_function(program, address, never_return, fuel) for address in functions}
    work = list(scans)
    while work:
        for address in _new_targets(program, work, scans):
            functions[address] = Function(address, 2, (f"sub_{address:08x}",))
            scans[address] = scan_function(program, address, never_return, fuel)
            work.append(address)
        found = {
            address
            for address in work
            if not _returns(scans[address], never_return) and address not in never_return
        }
        never_return |= found
        work = [
            address
            for address, scan in scans.items()
            if any(call.target in found for call in scan.calls.values())
        ]
        for address in work:
            scans[address] = scan_function(program, address, never_return, fuel)
    return CallGraph(functions, scans, frozenset(never_return))


def _returns(scan: Scan, never_return: set[int]) -> bool:
    return scan.returns or scan.lost_at is not None or scan.exhausted


def _new_targets(program: Program, work: list[int], scans: dict[int, Scan]) -> list[int]:
    """Targets of calls that no function stands at, to be walked too, and theirs."""
    return sorted(
        {
            call.target
            for address in work
            for call in scans[address].calls.values()
            if call.target not in scans and program.code_at(call.target) is not None
        }
    )
