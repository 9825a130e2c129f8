"""Devices of STM32 chips, one IP block a file.

May import the camera's parallel port and the findings; never a chip: what differs between chips is
given to a device when it is built.
"""
