"""Robot Framework suites: the runner, and the keywords that they are written in.

May import the rooms that keywords drive: running, gate, project.
"""
