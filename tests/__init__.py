"""Tests the registry; fakes stand only at the wire."""
