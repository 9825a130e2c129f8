"""The CPU: a small C core on top of Unicorn, and its Python face."""
