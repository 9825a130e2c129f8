"""Ways to run a firmware image behind one seam.

May import every room of the virtual board; one engine does not import another.
"""
