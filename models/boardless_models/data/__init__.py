"""What goes into the model line: data sets, networks as data, arrays in files.

May import errors only.
"""
