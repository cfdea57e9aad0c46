"""SNMP's messages are as its RFCs have them, and any bytes are a value or a WireError."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.wire import WireError, ber, snmp, usm
from probes.wire.snmp import Kind
from tests.probes.wire.refusal import refusal

DESCRIPTION = (1, 3, 6, 1, 2, 1, 1, 1, 0)
ENGINE = bytes.fromhex("000000000000000000000002")


def test_a_question_is_written_as_other_managers_write_it():
    message = snmp.write_community(b"public", snmp.write_pdu(Kind.GET, 77, [DESCRIPTION]))
    assert message.hex(" ", 2) == (
        "3026 0201 0104 0670 7562 6c69 63a0 1902 014d 0201 0002 0100 300e 300c 0608 2b06 0102 0101 0100 0500"
    )


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, 65_535, 2**31 - 1, -1, -128, -129, -(2**31)])
def test_numbers_survive(value):
    assert ber.Reader(ber.integer(value)).integer() == value


@given(st.tuples(st.integers(0, 2), st.integers(0, 39)), st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_identifiers_survive(first, rest):
    name = (*first, *rest)
    assert ber.to_oid(ber.Reader(ber.oid(name)).expect(ber.Tag.OID)) == name


@pytest.mark.parametrize(
    ("hash_", "key"),
    [
        # RFC 3414, appendices A.3.1 and A.3.2: password "maplesyrup", engine ...02
        ("md5", "526f5eed9fcce26f8964c2930787d82b"),
        ("sha", "6695febc9288e36282235fc7151f128497b38f3f"),
    ],
)
def test_a_password_becomes_the_key_of_the_rfc(hash_, key):
    user = usm.User(b"u", hash_, "maplesyrup", "")
    assert usm.keys_for(user, ENGINE).proving.hex() == key


@pytest.mark.parametrize("hash_", list(usm.PROOF_OCTETS))
@pytest.mark.parametrize("sealed", [False, True])
def test_what_is_sealed_is_opened_by_the_same_secrets_and_by_no_others(hash_, sealed):
    user = usm.read_user("u", f"{hash_}:canary-7f3a9c21" + (" aes:canary-again" if sealed else ""))
    keys = usm.keys_for(user, ENGINE)
    scoped = snmp.write_scoped(ENGINE, snmp.write_pdu(Kind.GET, 5, [DESCRIPTION]))
    message = usm.seal(5, b"u", keys, (3, 400), 99, scoped)
    envelope = snmp.read_envelope(message)
    assert usm.unseal(message, envelope, keys) == scoped
    assert (scoped in message) is not sealed
    other = usm.keys_for(usm.read_user("u", f"{hash_}:canary-7f3a9c22 canary-again"), ENGINE)
    assert usm.unseal(message, envelope, other) is None
    broken = message[:-1] + bytes([message[-1] ^ 1])
    assert usm.unseal(broken, snmp.read_envelope(broken), keys) is None


@pytest.mark.parametrize("password", ["", "short", "longenough short", "one two three four"])
def test_a_password_that_is_none_for_a_user_says_how_to_write_one(password):
    with pytest.raises(WireError, match="sha256:SECRET SECRET"):
        usm.read_user("u", password)


def test_a_user_does_not_show_its_secrets():
    user = usm.read_user("u", "canary-7f3a9c21 canary-again")
    assert "canary" not in repr(user) + repr(usm.keys_for(user, ENGINE))


GOOD = (
    snmp.write_community(b"public", snmp.write_pdu(Kind.RESPONSE, 77, [DESCRIPTION] * 3)),
    usm.seal(
        5, b"u", usm.keys_for(usm.User(b"u", "sha", "longenough", ""), ENGINE), (3, 4), 9, snmp.write_scoped(b"", b"")
    ),
)


@given(
    st.one_of(st.binary(max_size=120), st.sampled_from(GOOD)),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255))),
)
def test_any_bytes_are_a_message_or_a_wire_error(data, changes):
    octets = bytearray(data)
    for place, value in changes:
        if place < len(octets):
            octets[place] = value
    refusal(snmp.read_community, bytes(octets))
    refusal(snmp.read_envelope, bytes(octets))
    refusal(snmp.read_scoped, bytes(octets))
