"""A verdict for machines and for pages; each module one format, each a pure function to text."""
