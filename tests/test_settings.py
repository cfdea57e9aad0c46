"""Settings: what an operator writes, and what is said when it is wrong."""

import re
from pathlib import Path

import pytest

from camera_registry.settings import Settings, SettingsError, load
from camera_registry.texts import texts

SHIPPED = Path(__file__).parent.parent / "config" / "camera_registry.toml"


def problems(tmp_path: Path, text: str, language: str = "en") -> tuple[str, ...]:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        load(path)
    return tuple(texts(language).wrong(one) for one in raised.value.problems)


def test_the_shipped_file_spells_out_every_default() -> None:
    shipped = load(SHIPPED).settings
    defaults = Settings()
    for section in type(defaults).model_fields:
        if section != "storage":
            assert getattr(shipped, section) == getattr(defaults, section), section
    assert shipped.storage.directory == SHIPPED.parent.parent / "data"


def test_every_problem_is_named_at_once_with_its_key(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        """
        languge = "zh"
        [web]
        port = "eighty"
        [devices]
        networks = ["10.0.0.0/33", "10.0.0.1/8"]
        [probes.rtsp]
        interval = 5
        timeout = 5
        """,
    )
    text = "\n".join(said)
    assert len(said) == 5
    assert "languge: unknown key" in text
    assert "web.port" in text
    assert "devices.networks.0" in text
    assert "devices.networks.1" in text
    assert "timeout (5 s) must be shorter than interval (5 s)" in text


_MISTAKES = {
    "[web\n": "not valid TOML",
    "[health]\nretry = -1\n": "health.retry",
    "[probes.by_kind]\ncamera = ['telnet']\n": "probes.by_kind.camera.0",
    "[health.failures_by_cause]\nboredom = 1\n": "health.failures_by_cause.boredom:",
    "[web]\nlisten = '999.1.1.1'\n": "web.listen: this is no address",
    "[web]\npublic_url = 'cameras.example.org'\n": "web.public_url: write the address",
    "time_zone = 'Mars/Olympus'\n": "time_zone",
    "[devices]\nnetworks = ['10.20.0.0/16']\n[discovery]\nnetworks = ['10.21.0.0/24']\n": "10.21.0.0/24 is outside",
    "[devices]\nnetworks = ['10.0.0.0/8']\n[discovery]\nenabled = true\n": "16,777,214 addresses are too many",
    "[discovery]\ninterfaces = ['eth0']\n": "discovery.interfaces.0: write an IPv4 address of this machine",
    "[discovery]\nports = [80, 70000]\n": "discovery.ports.1",
    "[dispatch]\ncalendar = 'office'\n": "dispatch: calendar: there is no [dispatch.calendars.office]; known: none",
    "[[dispatch.rules]]\ncauses = ['boredom']\n": "dispatch.rules.0.causes.0",
    "[[dispatch.rules]]\ncrew = 'a'\ncontractor = 'b'\n": "dispatch.rules.0: crew and contractor: name one",
    "[[dispatch.rules]]\nsend = false\ncrew = 'a'\n": "dispatch.rules.0: send = false sends nobody, so crew",
    "[[dispatch.rules]]\naccept = 60\nrepair = 30\n": "dispatch.rules.0: repair (30) is before accept (60)",
    "[[dispatch.rules]]\ncrew='a'\n[[dispatch.rules]]\ncrew='b'\n": "dispatch: rules.0: it fits everything",
    "[dispatch.calendars.office]\nhours = ['18:00-09:00']\n": "dispatch.calendars.office.hours.0: write a span",
    "[dispatch.calendars.office]\nhours = ['09:00-12:00', '11:00-18:00']\n": "office: hours overlap",
    "[dispatch.deadlines]\nP1 = { accept = 60, arrive = 30 }\n": "dispatch.deadlines.P1: arrive (30) is before",
    "[probes]\nrtsp_seconds = 6\n": "probes: rtsp_seconds (6 s) must leave 3 s of [probes.rtsp] timeout (8 s)",
}


@pytest.mark.parametrize(("text", "expected"), _MISTAKES.items())
def test_each_mistake_gets_a_sentence_that_names_its_place(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    "text", ["nonsense = 1", "[web]\nport = 'x'", "[web]\nport = 99999", "[health]\nretry = 0", *_MISTAKES]
)
def test_each_mistake_is_told_in_chinese_at_the_same_place(tmp_path: Path, text: str) -> None:
    english, chinese = problems(tmp_path, text), problems(tmp_path, text, "zh")
    assert len(english) == len(chinese)
    for one, other in zip(english, chinese, strict=True):
        assert one.split(": ")[0] == other.split(": ")[0] or not re.match(r"[a-z_.0-9]+: ", one)
        told = re.sub(r"（所给：.*）$", "", other)
        assert re.search(r"[\u4e00-\u9fff]{2}", told), told


def test_a_missing_file_is_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        load(tmp_path / "nowhere.toml")


def test_every_mistake_in_a_channel_is_named_with_its_key(tmp_path: Path) -> None:
    said = "\n".join(
        problems(
            tmp_path,
            """
            [[channels]]
            name = "Duty Desk"
            kind = "webhook"
            url = "https://user:secret@example.org/hook"
            colour = "red"
            [[channels]]
            name = "mail"
            kind = "email"
            host = "mail.example.org"
            sender = "registry"
            to = []
            quiet = ["22-7"]
            [[channels]]
            name = "mail-2"
            kind = "email"
            host = "mail.example.org"
            sender = "a@example.org"
            to = ["b@example.org"]
            user = "registry"
            [[channels]]
            name = "fax"
            kind = "fax"
            [heartbeat]
            url = "example.org"
            """,
        )
    )
    for expected in (
        "channels.0.webhook.name:",
        "channels.0.webhook.url: a user name or password does not belong into an address",
        "channels.0.webhook.colour: unknown key",
        "channels.1.email.sender: this is no address",
        "channels.1.email.to:",
        "channels.1.email.quiet.0: write a span of hours such as 22:00-07:00",
        "channels.2.email: user and password_file go together",
        "channels.3: ",
        "heartbeat.url: write a whole address",
    ):
        assert expected in said, (expected, said)
    assert "user:secret" not in said


def test_names_given_twice_and_secrets_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    channel = '[[channels]]\nname = "duty"\nkind = "webhook"\nurl = "https://example.org/"\nsecret_file = "{file}"\n'
    said = problems(tmp_path, channel.format(file="gone") + channel.format(file="empty"))
    assert said == (
        f"channels.0.secret_file: {tmp_path / 'gone'} can't be read: No such file or directory; write the secret there",
        "channels.1.name: there are two channels 'duty'; give each a name of its own",
        f"channels.1.secret_file: {tmp_path / 'empty'} is empty; write the secret into it",
    )


def test_the_channels_that_the_shipped_file_shows_are_good_and_spell_out_the_defaults(tmp_path: Path) -> None:
    lines = SHIPPED.read_text(encoding="utf-8").partition("# [[channels]]\n")[2].partition("\n[notices]")[0]
    shown = "\n".join(line.removeprefix("# ") for line in ("# [[channels]]", *lines.splitlines()))
    for name in ("mail.password", "platform.secret", "wecom.url"):
        (tmp_path / name).write_text("secret")
    path = tmp_path / "settings.toml"
    path.write_text(shown, encoding="utf-8")
    channels = load(path).settings.channels
    assert [channel.kind for channel in channels] == ["email", "webhook", "alertmanager", "chat", "syslog"]
    needed = {"name", "kind", "host", "sender", "to", "user", "password_file"}
    assert {name for name in channels[0].model_fields_set if name not in needed} >= {"severity", "quiet", "digest"}
    for name, field in type(channels[0]).model_fields.items():
        assert name in needed or getattr(channels[0], name) == field.get_default(call_default_factory=True), name
