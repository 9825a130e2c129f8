"""Debugging on the native engine: a GDB server, the way back, coverage.

May import running, project and the virtual board; knows no command and writes no report.
"""
