"""Order and units of virtual time."""

from boardless_sim.core.schedule import EventQueue, Timeline

NEVER = 1 << 62
MICROSECOND_PS = 1_000_000


def nothing() -> None:
    """An event without effect."""


def test_equal_cycles_run_in_order_of_scheduling() -> None:
    queue = EventQueue(Timeline())
    first, second = queue.at_cycle(5, nothing), queue.at_cycle(5, nothing)
    early = queue.at_cycle(4, nothing)
    assert [queue.pop_due(5) for _ in range(4)] == [early, first, second, None]


def test_a_cancelled_event_is_not_waited_for() -> None:
    queue = EventQueue(Timeline())
    queue.at_cycle(5, nothing).cancel()
    assert queue.next_due(NEVER) == NEVER


def test_an_event_with_its_own_clock_keeps_its_time_when_the_core_speeds_up() -> None:
    timeline = Timeline()
    queue = EventQueue(timeline)
    by_time = queue.at_ps(10 * MICROSECOND_PS, nothing)
    by_cycle = queue.at_cycle(160, nothing)
    assert by_time.due == 160  # 16 MHz
    timeline.set_hz(80, 168_000_000)  # after 5 us
    queue.clock_changed()
    assert by_time.due == 80 + 5 * 168
    assert by_cycle.due == 160
    assert queue.pop_due(159) is None
    assert queue.pop_due(160) is by_cycle


def test_time_is_continuous_over_a_change_of_clock() -> None:
    timeline = Timeline()
    timeline.set_hz(1600, 168_000_000)
    assert timeline.to_ps(1600) == 100 * MICROSECOND_PS
    assert timeline.to_ps(1600 + 168) == 101 * MICROSECOND_PS
    assert timeline.to_cycle(101 * MICROSECOND_PS) == 1600 + 168
