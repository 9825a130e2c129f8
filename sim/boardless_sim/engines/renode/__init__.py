"""The firmware in Renode, driven through its monitor."""
