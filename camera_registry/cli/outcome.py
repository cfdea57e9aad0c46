"""Says how a command ended: the exit codes, and the error that ends one early."""

from camera_registry.texts.errors import TellableError

GOOD = 0
FAULT = 1
MISUSE = 2
INTERRUPTED = 130
"""As shells tell of a program that Ctrl-C ended: 128 and the number of the signal."""


def why(error: Exception) -> str:
    """What went wrong, in the words of the system but without its numbers."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


class CommandError(TellableError):
    """Ends a command with exit code 2; the message says where, why and what to do."""

    section = "command_error"
