"""Touches devices: every module here measures, and none of them decides."""
