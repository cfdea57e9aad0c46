"""Makes the standard streams of a command fit to be written to, whatever it was started with."""

import io
import os
import sys


def settle() -> None:
    """Let streams that were closed (`>&-`) lead nowhere, so that no file of ours gets their number; and let a letter
    that the encoding of a stream lacks be written as its number, so that no command ends over it."""
    for name, flags in (("stdin", os.O_RDONLY), ("stdout", os.O_WRONLY), ("stderr", os.O_WRONLY)):
        stream = getattr(sys, name)
        if stream is None:
            # The lowest free number, which is the one that was closed.
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), "r" if flags == os.O_RDONLY else "w"))
        elif isinstance(stream, io.TextIOWrapper) and name != "stdin":
            stream.reconfigure(errors="backslashreplace")


def drop() -> None:
    """Let what was still to be printed lead nowhere: the interpreter must not fail again while it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
