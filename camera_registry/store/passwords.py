"""Passwords of people: Argon2id, and never more than two hashes at once, so that sign-ins can't exhaust the machine."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
MIN_LENGTH = 10
MAX_LENGTH = 1000

# RFC 9106 section 4 lets memory be cut where it is scarce; OWASP's floor is 19 MiB with 2 passes.
_MEMORY_KIB = 32 * 1024
_PASSES = 3


class Passwords:
    """Hashes and compares on two threads of its own."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """What is kept in place of the password."""
        return await asyncio.wrap_future(self._threads.submit(self.hash_now, password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether this is the password. ``kept`` None (no such account) takes as long as a wrong password does."""
        return await asyncio.wrap_future(self._threads.submit(self.matches_now, kept, password))

    def hash_now(self, password: str) -> str:
        """``hash`` for commands."""
        return self._hasher.hash(password)

    def matches_now(self, kept: str | None, password: str) -> bool:
        """``matches`` for commands."""
        if kept is None:
            if self._nobody is None:
                self._nobody = self._hasher.hash("")
            self._verify(self._nobody, password[:MAX_LENGTH] + "x")
            return False
        return len(password) <= MAX_LENGTH and self._verify(kept, password)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown()

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def weakness(password: str, account: str) -> str | None:
    """Why a password is not accepted, as a key of [weak_password] in the texts; None if it is."""
    if len(password) < MIN_LENGTH:
        return "short"
    if len(password) > MAX_LENGTH:
        return "long"
    if account.casefold() in password.casefold() or len(set(password)) < 5:
        return "easy"
    return None
