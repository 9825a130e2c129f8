"""Writers: what a run, a suite or a failure looks like to a reader.

May import what it writes about; decides nothing and is imported by commands alone.
"""
