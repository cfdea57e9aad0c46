"""Tests of the picture measures and of the processes that decode."""
