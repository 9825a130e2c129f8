"""What a set of stacks says about functions."""

from __future__ import annotations

from boardless.timing.profile.sampling import ASLEEP, SampledFunction, functions


def test_a_function_has_cycles_of_its_own_and_with_what_it_called() -> None:
    stacks = {("main",): 5, ("main", "run"): 20, ("main", "run", "kernel"): 70, ("handler",): 5}
    assert functions(stacks) == (
        SampledFunction("kernel", 70, 70),
        SampledFunction("run", 20, 90),
        SampledFunction("main", 5, 95),
        SampledFunction("handler", 5, 5),
    )


def test_a_function_that_calls_itself_counts_once() -> None:
    assert functions({("walk", "walk", "walk"): 9}) == (SampledFunction("walk", 9, 9),)


def test_sleep_is_no_function_and_no_caller_s_time() -> None:
    assert functions({("main", ASLEEP): 900, ("main",): 1}) == (SampledFunction("main", 1, 1),)
