"""Pure decisions: time is an argument, nothing is read or written."""
