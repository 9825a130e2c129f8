"""Virtual time held against what is published for real boards; where cycles go is in `profile`.

May import running, project and the engines.
"""
