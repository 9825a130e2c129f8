"""The virtual board: an STM32F407 with a camera, in one process."""
