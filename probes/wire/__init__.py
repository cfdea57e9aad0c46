"""Turns bytes into values and back: the protocols of devices, without a socket or a clock."""
