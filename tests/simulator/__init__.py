"""Tests of the simulated fleet, with clients that share no code with it."""
