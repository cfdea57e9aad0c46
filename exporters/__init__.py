"""Tells the world: everything that leaves the registry, and nothing that writes back into it."""
