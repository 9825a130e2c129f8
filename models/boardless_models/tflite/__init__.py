"""TensorFlow Lite files in and out, and other kernels to compare with.

May import graph, int8 and data.
"""
