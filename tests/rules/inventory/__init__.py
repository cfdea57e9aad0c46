"""Inventory files, from bytes to items and problems, and back."""
