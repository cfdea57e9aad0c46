"""Inventory: rows of a file to items and problems, what differs from a register, and what may not stand in one."""
