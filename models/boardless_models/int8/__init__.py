"""Int8 arithmetic, and the float weights and ranges that it is made from.

May import data.
"""
