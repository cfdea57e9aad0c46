"""Opens what commands work on: the settings, the store, the keys; each failure is one message that ends the command."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from camera_registry.cli.outcome import CommandError, why
from camera_registry.settings import Loaded, Settings, SettingsError, load
from camera_registry.store import Shape, Store, StoreError, Unavailable
from camera_registry.store.credentials import Vault
from camera_registry.store.keys import read_keys
from camera_registry.texts import texts

PASSWORD_VARIABLE = "CAMERA_REGISTRY_PASSWORD"  # noqa: S105 - the name of a variable


def loaded_from(args: argparse.Namespace, path: Path | None = None) -> Loaded:
    """The settings that ``--config`` names, or those in ``path``; CommandError lists every problem of theirs, one a
    line."""
    words = texts(args.lang)
    try:
        return load(path or args.config)
    except SettingsError as error:
        told = [f"  {words.wrong(problem)}" for problem in error.problems]
        raise CommandError("told", why="\n".join([f"{error.place}:", *told])) from error


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings that ``--config`` names."""
    return loaded_from(args).settings


@contextmanager
def store_of(loaded: Settings, shape: Shape = Shape.MADE) -> Iterator[Store]:
    """The store, for as long as the command runs. It needs no stopped service: it writes beside one, and so leaves a
    database of another release as it is, unless ``shape`` says otherwise."""
    try:
        with Store.open(loaded.storage.url, loaded.storage.directory, shape) as store:
            yield store
    except Unavailable as error:
        raise CommandError("not_now", why=error) from error
    except StoreError as error:
        raise CommandError("told", why=error) from error


def vault_of(loaded: Settings) -> Vault:
    """What opens and seals credentials."""
    try:
        return Vault(read_keys(key_file(loaded)))
    except StoreError as error:
        raise CommandError("told", why=error) from error


def key_file(loaded: Settings) -> Path:
    """Where the key file is."""
    return loaded.storage.key_file or loaded.storage.directory / "credentials.key"


def author() -> str:
    """Who gives a command, for the audit trail."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return f"{name} (command line)"


def password_from(file: Path | None, prompt: str) -> str:
    """A password from a file, the environment or the keyboard; never from the command line, which everybody sees."""
    if file is not None:
        try:
            found = file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError("password_unreadable", file=file, why=why(error)) from error
    elif PASSWORD_VARIABLE in os.environ:
        found = os.environ[PASSWORD_VARIABLE]
    elif sys.stdin.isatty():
        found = getpass.getpass(f"{prompt}: ")
    else:
        raise CommandError("password_needed", variable=PASSWORD_VARIABLE)
    if not found:
        raise CommandError("password_empty")
    return found
