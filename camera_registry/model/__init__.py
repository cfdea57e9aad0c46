"""The vocabulary: frozen values with no behaviour beyond checks.

One word for one thing, everywhere. Durations are seconds, times are aware UTC datetimes, identifiers are text
that is compared and shown but never parsed.
"""
