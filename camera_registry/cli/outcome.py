"""Says how a command ended: the three exit codes, and the error that ends one early."""

GOOD = 0
FAULT = 1
MISUSE = 2


class CommandError(Exception):
    """Ends a command with exit code 2; the message says where, why and what to do."""
