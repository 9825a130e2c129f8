"""Which device sits where, as data."""
