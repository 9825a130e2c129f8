"""What makes and shows pictures: DMA2D and LTDC.

May import the seam of peripherals.
"""
