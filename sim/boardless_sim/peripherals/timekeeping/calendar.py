"""Date and time in BCD, and the next time that an alarm comes (RM0090 sections 26.3.3, 26.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_FIRST_YEAR = 2000
_PM = 1 << 22
_SECONDS_DIFFER, _MINUTES_DIFFER, _HOURS_DIFFER, _DAY_DIFFERS = 1 << 7, 1 << 15, 1 << 23, 1 << 31
_BY_WEEKDAY = 1 << 30
_MOST_STEPS = 2000  # an alarm on a 30th of February never comes


@dataclass(frozen=True)
class Moment:
    """A second of the calendar. The weekday, 1 to 7, is counted and not computed."""

    time: datetime
    weekday: int

    def after(self, seconds: int) -> Moment:
        """So many seconds later; years are of one century."""
        later = self.time + timedelta(seconds=seconds)
        later = later.replace(year=_FIRST_YEAR + (later.year - _FIRST_YEAR) % 100)
        days = ((self.time - self.time.min).seconds + seconds) // 86_400
        return Moment(later, (self.weekday - 1 + days) % 7 + 1 if self.weekday else 0)


def read_registers(time: int, date: int) -> Moment:
    """From TR and DR; what is no date becomes the nearest one."""
    day, month = max(_number(date & 0x3F), 1), min(max(_number(date >> 8 & 0x1F), 1), 12)
    first = datetime(_FIRST_YEAR + _number(date >> 16 & 0xFF), month, 1)  # noqa: DTZ001
    seconds = (_hour(time) * 60 + _number(time >> 8 & 0x7F)) * 60 + _number(time & 0x7F)
    return Moment(first + timedelta(days=day - 1, seconds=seconds), date >> 13 & 7)


def time_register(moment: Moment, *, twelve_hours: bool) -> int:
    """TR: with FMT the hours are 1 to 12, and PM says which half of the day (26.6.1)."""
    time = moment.time
    hour, half = time.hour, 0
    if twelve_hours:
        hour, half = (time.hour - 1) % 12 + 1, _PM if time.hour >= 12 else 0
    return half | _bcd(hour) << 16 | _bcd(time.minute) << 8 | _bcd(time.second)


def date_register(moment: Moment) -> int:
    """DR (26.6.2)."""
    time = moment.time
    year = _bcd(time.year - _FIRST_YEAR)
    return year << 16 | moment.weekday << 13 | _bcd(time.month) << 8 | _bcd(time.day)


def seconds_to_alarm(now: Moment, alarm: int) -> int | None:
    """From `now`, 0 for this second, to the next that ALRMxR matches (26.6.7); None: it never does.

    A mask bit takes its field out of the comparison.
    """
    moment, seconds = now, 0
    for _ in range(_MOST_STEPS):
        step = _step(moment, alarm)
        if not step:
            return seconds
        seconds += step
        moment = now.after(seconds)
    return None


def _step(moment: Moment, alarm: int) -> int:
    """0 where it matches, else the seconds that may be passed over."""
    time = moment.time
    field = _number(alarm >> 24 & (0xF if alarm & _BY_WEEKDAY else 0x3F))
    day = moment.weekday if alarm & _BY_WEEKDAY else time.day
    if not alarm & _DAY_DIFFERS and day != field:
        return 86_400 - (time.hour * 60 + time.minute) * 60 - time.second
    if not alarm & _HOURS_DIFFER and time.hour != _hour(alarm):
        return 3600 - time.minute * 60 - time.second
    if not alarm & _MINUTES_DIFFER and time.minute != _number(alarm >> 8 & 0x7F):
        return 60 - time.second
    return int(not alarm & _SECONDS_DIFFER and time.second != _number(alarm & 0x7F))


def _hour(register: int) -> int:
    hour = _number(register >> 16 & 0x3F)
    return hour % 12 + 12 if register & _PM else min(hour, 23)


def _number(bcd: int) -> int:
    return (bcd >> 4) * 10 + (bcd & 0xF)


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10
