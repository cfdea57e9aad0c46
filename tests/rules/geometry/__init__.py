"""Tests of what cameras can see of places."""
