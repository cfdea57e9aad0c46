"""Group robots of WeCom and DingTalk, spoken to directly: they answer 200 whatever happens, and say in the body whether
they took it, which Apprise does not read. Their addresses are written as Apprise writes them.

WeCom: developer.work.weixin.qq.com/document/path/91770; DingTalk: open.dingtalk.com, "custom robots", with signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from urllib.parse import unquote, urlencode, urlsplit

import orjson

from exporters.base import DeliveryError
from exporters.posting import Poster

WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
DINGTALK = "https://oapi.dingtalk.com/robot/send"
KINDS = ("wecombot", "dingtalk")
_MOST_BYTES = {"wecombot": 2048, "dingtalk": 18_000}


class Robot:
    """One robot: ``wecombot://KEY``, ``dingtalk://TOKEN`` or ``dingtalk://SECRET@TOKEN``."""

    def __init__(self, address: str, poster: Poster) -> None:
        # By hand: urlsplit would make the host's letters small.
        self._kind, _, rest = address.partition("://")
        place = rest.partition("/")[0].partition("?")[0]
        secret, _, token = place.rpartition("@")
        self._token, self._secret = unquote(token), unquote(secret)
        self._poster = poster

    async def say(self, subject: str, text: str) -> None:
        """Put a text into the group. Raises DeliveryError."""
        whole = f"{subject}\n{text}".encode()[: _MOST_BYTES[self._kind]].decode(errors="ignore")
        body = orjson.dumps({"msgtype": "text", "text": {"content": whole}})
        answer = await self._poster.post(self._url(), body, {})
        try:
            told = orjson.loads(answer)
            code, why = int(told.get("errcode", 0)), str(told.get("errmsg", ""))
        except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError) as error:
            raise DeliveryError("its answer is not that of a group robot") from error
        if code:
            raise DeliveryError(f"the robot refused it ({code}): {self._without_secrets(why)}")

    def _url(self) -> str:
        if self._kind == "wecombot":
            return f"{WECOM}?{urlencode({'key': self._token})}"
        asked = {"access_token": self._token}
        if self._secret:
            timestamp = str(round(time.time() * 1000))
            asked |= {"timestamp": timestamp, "sign": signature(self._secret, timestamp)}
        return f"{DINGTALK}?{urlencode(asked)}"

    def _without_secrets(self, text: str) -> str:
        for secret in filter(None, (self._token, self._secret)):
            text = text.replace(secret, "***")
        return text[:200]


def signature(secret: str, timestamp: str) -> str:
    """DingTalk's: HMAC-SHA256 of the time and the secret, in base64, with the secret as key."""
    signed = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(signed).decode()


def is_robot(address: str) -> bool:
    """Whether this address is spoken to here."""
    return urlsplit(address).scheme in KINDS
