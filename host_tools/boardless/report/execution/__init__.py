"""What ran, and what happened: coverage and traces in the forms that other tools read.

May import what `report` may.
"""
