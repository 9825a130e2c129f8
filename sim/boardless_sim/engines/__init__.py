"""Ways to run a firmware image behind one seam."""
