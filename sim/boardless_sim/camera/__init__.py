"""What the firmware sees: frames, their sources, and the sensors behind their seam.

May import errors only.
"""
