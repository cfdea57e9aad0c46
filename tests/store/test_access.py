"""Accounts, sessions and tokens: what lets somebody in, and what ends it."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.people import Contractor, Crew, Role, User
from camera_registry.store import Refused, Store, access, audit, register, sessions, tokens
from camera_registry.store.passwords import AT_ONCE, Passwords, weakness
from camera_registry.store.sessions import Limits

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LIMITS = Limits(timedelta(minutes=30), timedelta(hours=12))
ADMIN = User("root", Role.ADMIN)
ANN = User("ann", Role.OPERATOR)


@pytest.fixture
def people(store: Store) -> Store:
    for user in (ADMIN, ANN):
        store.write_now(access.create_account, user, "hash", author="system", at=AT)
    return store


def after(**time: float) -> datetime:
    return AT + timedelta(**time)


def test_a_set_up_token_works_once_and_only_while_there_is_nobody(store: Store) -> None:
    """What `init` printed is still good after the service has started and printed another."""
    made = [store.write_now(access.make_setup_token, after(minutes=minute)) for minute in range(4)]
    forgotten, first, _, last = [token or "" for token in made]
    assert not store.write_now(access.set_up, "guessed", ADMIN, "hash", at=AT)
    assert not store.write_now(access.set_up, forgotten, ADMIN, "hash", at=AT)
    assert store.write_now(access.set_up, first, ADMIN, "hash", at=AT)
    for spent in (first, last):
        assert not store.write_now(access.set_up, spent, User("eve", Role.ADMIN), "hash", at=AT)
    assert store.write_now(access.make_setup_token, AT) is None


def test_an_account_made_by_command_voids_the_set_up_token(store: Store) -> None:
    token = store.write_now(access.make_setup_token, AT)
    assert token is not None
    store.write_now(access.create_account, ADMIN, "hash", author="system", at=AT)
    assert not store.read_now(access.setup_token_fits, token)


def test_a_session_lasts_while_it_is_used_and_never_beyond_its_absolute_end(people: Store) -> None:
    cookie = people.write_now(sessions.create, "ann", "10.0.0.9", AT)
    found = people.read_now(sessions.find, cookie, after(minutes=29), LIMITS)
    assert found is not None
    assert found.user == ANN
    assert found.touch_due
    assert people.read_now(sessions.find, cookie, after(minutes=31), LIMITS) is None
    for minutes in range(0, 12 * 60, 20):
        people.write_now(sessions.touch, cookie, after(minutes=minutes))
    assert people.read_now(sessions.find, cookie, after(hours=11, minutes=59), LIMITS) is not None
    assert people.read_now(sessions.find, cookie, after(hours=12, minutes=1), LIMITS) is None
    assert people.write_now(sessions.sweep, after(hours=13), LIMITS) == 1


def test_a_new_password_a_new_role_or_a_closed_account_ends_sessions_a_new_language_does_not(people: Store) -> None:
    def cookie() -> str:
        return people.write_now(sessions.create, "ann", "10.0.0.9", AT)

    def good(text: str) -> bool:
        return people.read_now(sessions.find, text, AT, LIMITS) is not None

    held = cookie()
    people.write_now(access.edit_account, User("ann", Role.OPERATOR, "en"), author="root", at=AT)
    assert good(held)
    people.write_now(access.set_password, "ann", "other", author="root", at=AT)
    assert not good(held)
    held = cookie()
    people.write_now(access.edit_account, User("ann", Role.VIEWER, "en"), author="root", at=AT)
    assert not good(held)
    held = cookie()
    people.write_now(access.edit_account, User("ann", Role.VIEWER, "en", active=False), author="root", at=AT)
    assert not good(held)


def test_an_account_is_of_a_crew_and_of_its_contractor_as_the_register_has_them(people: Store) -> None:
    people.write_now(register.apply, [Contractor("weibao"), Crew("east", contractor="weibao")], author="root", at=AT)
    with pytest.raises(Refused, match=r"there is no crew west; import the crews first"):
        people.write_now(access.create_account, User("li", Role.CREW, crew="west"), "hash", author="root", at=AT)
    with pytest.raises(Refused, match=r"ann is of the role Operator"):
        people.write_now(access.edit_account, User("ann", Role.OPERATOR, crew="east"), author="root", at=AT)
    people.write_now(access.create_account, User("li", Role.CREW, crew="east"), "hash", author="root", at=AT)
    cookie = people.write_now(sessions.create, "li", "10.0.0.9", AT)
    found = people.read_now(sessions.find, cookie, AT, LIMITS)
    assert found
    assert (found.user.crew, found.user.contractor) == ("east", "weibao")
    with pytest.raises(Refused, match=r"crew east is still used by account li"):
        people.write_now(register.apply, [], [("crew", "east")], author="root", at=AT)
    people.write_now(access.edit_account, User("li", Role.VIEWER, crew="east"), author="root", at=AT)
    assert people.read_now(sessions.find, cookie, AT, LIMITS) is None
    kept = people.read_now(access.account, "li")
    assert kept
    assert kept.user.crew == "", "who is no crew any more sees no crew's orders when they are one again"


def test_the_last_administrator_stays(people: Store) -> None:
    for job in (
        lambda: people.write_now(access.remove_account, "root", author="root", at=AT),
        lambda: people.write_now(access.edit_account, User("root", Role.VIEWER), author="root", at=AT),
        lambda: people.write_now(access.edit_account, User("root", Role.ADMIN, active=False), author="root", at=AT),
    ):
        with pytest.raises(Refused, match="last active administrator"):
            job()
    people.write_now(access.edit_account, User("ann", Role.ADMIN), author="root", at=AT)
    people.write_now(access.remove_account, "root", author="ann", at=AT)


def test_wrong_passwords_cost_ever_more_time_and_a_good_one_or_an_hour_forgives(people: Store) -> None:
    def wait(at: datetime, address: str = "10.0.0.9") -> float:
        return people.read_now(access.sign_in_wait, "ann", address, at).total_seconds()

    for _ in range(3):
        people.write_now(access.note_failure, "ann", "10.0.0.9", AT)
    assert wait(AT) == 0
    waits = []
    for _ in range(12):
        people.write_now(access.note_failure, "ann", "10.0.0.9", AT)
        waits.append(wait(AT))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert wait(AT, "10.0.0.10") == 900
    assert wait(after(minutes=14)) == 60
    assert wait(after(minutes=61)) == 0
    people.write_now(access.note_success, "ann", "10.0.0.9", AT)
    assert wait(AT) == 0


def test_guessing_many_accounts_from_one_address_is_slowed_too(people: Store) -> None:
    for number in range(25):
        people.write_now(access.note_failure, f"user-{number}", "10.0.0.9", AT)
    assert people.read_now(access.sign_in_wait, "ann", "10.0.0.9", AT) > timedelta(0)
    assert people.read_now(access.sign_in_wait, "ann", "10.0.0.10", AT) == timedelta(0)


def test_a_token_is_shown_once_and_ends_by_expiry_or_revocation(people: Store) -> None:
    text = people.write_now(tokens.create, "prometheus", Role.VIEWER, expires_at=after(days=1), author="root", at=AT)
    found = people.read_now(tokens.find, text, AT)
    assert found is not None
    assert (found.name, found.role) == ("prometheus", Role.VIEWER)
    assert text.startswith(found.prefix)
    assert people.read_now(tokens.find, text, after(days=1)) is None
    assert people.read_now(tokens.find, found.prefix, AT) is None
    assert text not in repr(people.read_now(tokens.listed)) + repr(people.read_now(audit.trail))
    assert people.write_now(tokens.revoke, found.prefix, author="root", at=AT)
    assert people.read_now(tokens.find, text, AT) is None


async def test_a_password_is_known_again_and_no_account_looks_like_a_wrong_password() -> None:
    passwords = Passwords()
    kept = await passwords.hash("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert await passwords.matches(kept, "correct horse battery")
    assert not await passwords.matches(kept, "wrong")
    assert not await passwords.matches(None, "correct horse battery")
    assert not await passwords.matches("not a hash", "x")
    passwords.close()


async def test_never_more_than_two_hashes_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, running, most, lock = Passwords(), 0, 0, threading.Event()

    def slow(password: str) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        lock.wait(0.02)
        running -= 1
        return password

    monkeypatch.setattr(passwords, "hash_now", slow)
    await asyncio.gather(*(passwords.hash(str(number)) for number in range(10)))
    assert most == AT_ONCE
    passwords.close()


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaa", "ANN-is-my-name", "x" * 2000])
def test_a_weak_password_is_refused_with_a_reason(password: str) -> None:
    assert weakness(password, "ann") is not None


def test_a_good_password_is_accepted() -> None:
    assert weakness("correct horse battery", "ann") is None
