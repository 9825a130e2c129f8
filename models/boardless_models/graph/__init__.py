"""A network as a graph of operators: quantised, checked, run in integers, costed, written as C.

May import int8 and data.
"""
