"""Passwords are taken out of whatever a device says back, in every form in which devices say them."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from probes.redaction import facts_without_secrets, forms_of, without_secrets

PASSWORD = "canary/7f3a 9c21&+ä'\\pass"
FORMS = forms_of("admin", PASSWORD)


@pytest.mark.parametrize(
    "said",
    [
        PASSWORD,
        b64encode(f"admin:{PASSWORD}".encode()).decode(),
        b64encode(PASSWORD.encode()).decode(),
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote_plus(PASSWORD),
    ],
)
def test_no_form_of_a_password_is_left(said: str):
    assert without_secrets(f"bad login {said}, again", FORMS).replace("=", "") == "bad login ***, again"
    found = facts_without_secrets({"serial": said, "refused": {"GetProfiles": [f"<{said}>"]}, "width": 640}, FORMS)
    assert said.rstrip("=") not in repr(found)
    assert found["width"] == 640


@pytest.mark.parametrize("length", [4, 9, len(PASSWORD) - 1])
def test_the_beginning_of_a_password_that_was_cut_off_is_taken_out_too(length: int):
    assert without_secrets(f"login {PASSWORD[:length]}…", FORMS) == "login ***…"


def test_what_is_no_password_is_left_as_it_is():
    assert without_secrets("serial 4711, cannon…", FORMS) == "serial 4711, cannon…"
    assert without_secrets("a.b.c", forms_of("u", "b")) == "a.b.c"
