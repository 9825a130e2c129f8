"""What the vendor made, as data: memories, devices, interrupts, DMA requests, pins.

May import the peripherals that a chip is made of; never a board, which is what was made of a chip.
"""
