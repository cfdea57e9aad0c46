"""This package writes reports: one neutral document, built in the reader's language, into any of several formats."""
