"""Debugging on the native engine: a GDB server, the way back, coverage.

May import `running` and `boardless_sim`; knows no command and writes no report.
"""
