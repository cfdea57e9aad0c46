"""Injects faults into a whole service beside a simulated fleet, and prints what was promised and what was measured."""
