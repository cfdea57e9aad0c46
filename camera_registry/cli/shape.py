"""What a module of commands looks like to the command line."""

import argparse
from pathlib import Path
from typing import Protocol, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse has no public name for it

DEFAULT_CONFIG = Path("config/camera_registry.toml")


class CommandModule(Protocol):
    """A module of this package that adds one or more commands; each sets `func`, which returns an exit code."""

    def add(self, commands: Commands, common: argparse.ArgumentParser) -> None:
        """Add the module's commands; `common` goes among the parents of every parser made."""
