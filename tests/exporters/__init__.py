"""Tests of what leaves the service: metrics, discovery, rules."""
