"""Float networks: train, distil, prune, fine-tune, search. The only room that imports PyTorch.

May import data, int8 and graph.
"""
