"""Random numbers, ciphers and digests.

May import the seam of peripherals.
"""
