"""The commands, as people give them."""
