"""What the vendor made, as data: memories, devices, interrupts, DMA requests.

May import the peripherals that a chip is made of.
"""
