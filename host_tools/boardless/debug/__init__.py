"""Debugging on the native engine: a GDB server, the way back, faults in words, coverage, a trace.

Takes boards from `boardless_sim`; knows no command and writes no report.
"""
