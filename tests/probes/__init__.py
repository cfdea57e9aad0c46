"""Tests of the probes, against real sockets on loopback."""
