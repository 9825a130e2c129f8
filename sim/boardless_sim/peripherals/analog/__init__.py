"""Voltages in and out: ADC and DAC.

May import the seam of peripherals and the timers that trigger them.
"""
