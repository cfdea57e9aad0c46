"""Polling in processes of its own: how the fleet is divided among them, one of them seen from here, and from inside."""
