"""Says how a command ended: the exit codes, and the error that ends one early."""

from camera_registry.texts import Texts, texts

GOOD = 0
FAULT = 1
MISUSE = 2
INTERRUPTED = 130
"""As shells tell of a program that Ctrl-C ended: 128 and the number of the signal."""


def why(error: Exception) -> str:
    """What went wrong, in the words of the system but without its numbers."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


class CommandError(Exception):
    """Ends a command with exit code 2. ``key`` of [command_error] in the texts, with its values, says where, why and
    what to do; as a text of its own it is English."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        return self.told(texts("en"))

    def told(self, words: Texts) -> str:
        """The message in a language."""
        return words(f"command_error.{self.key}", **self.values)
