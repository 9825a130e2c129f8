"""The time of day: the RTC and its calendar.

May import the seam of peripherals.
"""
