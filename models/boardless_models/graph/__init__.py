"""A network as a graph of operators: what it must keep to, costs, and becomes as C.

May import int8 and data.
"""
