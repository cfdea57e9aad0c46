"""Tests of how well sites are covered."""
