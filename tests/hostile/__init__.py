"""Devices that mean harm or are badly broken, as real servers on loopback, and what they must not achieve."""
