"""Challenges as devices send them, and answers checked against the examples of the RFCs."""

from __future__ import annotations

import re
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.wire import WireError
from probes.wire.digest import Challenge, Request, authorization, read_challenges, strongest

RFC7616 = 'realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'  # fmt: skip  # noqa: E501 - one header of the RFC
RFC2617 = 'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'  # fmt: skip  # noqa: E501 - one header of the RFC


def response(header: str) -> str:
    found = re.search(r'response="([0-9a-f]+)"', header)
    assert found
    return found[1]


def answer(challenge: str, user: str, password: str, cnonce: str, path: str = "/dir/index.html") -> str:
    chosen = strongest(read_challenges([challenge]))
    assert chosen is not None
    return authorization(chosen, user, password, Request("GET", path), count=1, cnonce=cnonce)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_come_out(algorithm: str, expected: str):
    challenge = "Digest " + RFC7616.format(algorithm)
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    assert response(answer(challenge, "Mufasa", "Circle of Life", cnonce)) == expected


def test_the_example_of_rfc_2617_comes_out():
    assert response(answer(RFC2617, "Mufasa", "Circle Of Life", "0a4f113b")) == "6629fae49393a05397450978507c4ef1"


def test_the_example_of_rfc_2069_comes_out():
    # The response printed in RFC 2069 is wrong; this is the one of its erratum 749.
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'  # noqa: E501 - one header of the RFC
    header = answer(challenge, "Mufasa", "CircleOfLife", "unused")
    assert response(header) == "1949323746fe6a43ef61f9606e7febea"
    assert "qop" not in header
    assert "cnonce" not in header


def test_session_algorithms_hash_the_client_nonce_in():
    plain = answer('Digest realm="r", nonce="n", algorithm=MD5, qop="auth"', "u", "p", "c")
    session = answer('Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"', "u", "p", "c")
    assert response(plain) != response(session)
    assert "algorithm=MD5-sess" in session


def test_auth_int_is_answered_only_where_nothing_else_is_offered():
    assert "qop=auth," in answer('Digest realm="r", nonce="n", qop="auth-int,auth"', "u", "p", "c") + ","
    assert "qop=auth-int" in answer('Digest realm="r", nonce="n", qop="auth-int"', "u", "p", "c")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (['Basic realm="a"', 'Digest realm="b", nonce="n", algorithm=SHA-256'], ("digest", "b")),
        (['Digest realm="b", nonce="n", algorithm=MD5, Basic realm="a"'], ("digest", "b")),
        (['Digest realm="md5", nonce="n", Digest realm="sha", nonce="n", algorithm=SHA-256'], ("digest", "sha")),
        (['Digest realm="x", nonce="n", algorithm=SHA-512-256', 'Basic realm="a"'], ("basic", "a")),
        (["Basic realm=unquoted"], ("basic", "unquoted")),
        (['DIGEST realm="with, comma and \\"quotes\\"",nonce=""'], ("digest", 'with, comma and "quotes"')),
        (['Negotiate, Basic realm="a"'], ("basic", "a")),
    ],
)
def test_the_strongest_challenge_is_chosen_wherever_it_stands(headers: list[str], expected: tuple[str, str]):
    chosen = strongest(read_challenges(headers))
    assert chosen is not None
    assert (chosen.scheme, chosen.realm) == expected


@pytest.mark.parametrize("header", ["Negotiate", "NTLM abc==", "", 'Digest realm="r", nonce="n", qop="other"', "=,=,="])
def test_what_is_not_supported_is_not_chosen(header: str):
    assert strongest(read_challenges([header])) is None


def test_a_stale_nonce_is_seen():
    assert read_challenges(['Digest realm="r", nonce="n", stale=TRUE'])[0].stale


def test_basic_takes_any_password():
    header = authorization(Challenge("basic"), "管理员", "p:@#/ü", Request("GET", "/"), count=1, cnonce="")
    assert b64decode(header.removeprefix("Basic ")).decode() == "管理员:p:@#/ü"


def test_a_realm_in_gbk_is_sent_back_in_its_own_bytes():
    realm = "摄像机".encode("gbk").decode("latin-1")
    header = answer(f'Digest realm="{realm}", nonce="n"', "u", "p", "c")
    assert "摄像机".encode("gbk") in header.encode("latin-1")


@given(st.lists(st.text(max_size=60), max_size=3))
def test_any_header_gives_challenges_that_can_be_answered_or_are_refused(headers: list[str]):
    for challenge in read_challenges([*headers, "Digest " + "".join(headers)]):
        try:
            written = authorization(challenge, "u", "p", Request("GET", "/"), count=1, cnonce="c")
        except WireError:
            assert not challenge.strength
        else:
            assert written.startswith(("Digest ", "Basic "))
