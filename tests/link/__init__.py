"""Tests of what passes between the core and what polls for it."""
