"""Many runs from one plan: firmwares × boards × frames × seeds, on this machine or a cluster.

What did not change is not run again: a piece of work is known by the content of all that goes into
it. May import: running, project, terminal, the virtual board.
"""
