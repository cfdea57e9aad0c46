"""Tests of reports in every format."""
