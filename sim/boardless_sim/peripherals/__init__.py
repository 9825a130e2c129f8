"""Devices of the STM32F407, one a file."""
