"""Servers that nobody here wrote, and what the probes and the engine say of them."""
