"""The integers: quantising, the artifact, the reference that C must equal bit for bit.

May import data.
"""
