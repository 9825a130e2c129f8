"""The command line, one command a file: read options, call a room, print.

May import every room below; nothing but `cli` imports a command.
"""
