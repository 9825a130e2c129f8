"""Where a firmware's cycles go: layer by layer, stage by stage, function by function."""
