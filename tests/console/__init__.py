"""Tests of the console over real HTTP on a loopback port."""
