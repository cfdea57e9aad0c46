"""Settings: what an operator writes, and what is said when it is wrong."""

from pathlib import Path

import pytest

from camera_registry.settings import Settings, SettingsError, load

SHIPPED = Path(__file__).parent.parent / "config" / "camera_registry.toml"


def problems(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        load(path)
    return raised.value.problems


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[web\n", "not valid TOML"),
        ("[health]\nretry = -1\n", "health.retry"),
        ("[probes.by_kind]\ncamera = ['telnet']\n", "probes.by_kind.camera.0"),
        ("[health.failures_by_cause]\nboredom = 1\n", "health.failures_by_cause.boredom:"),
        ("[web]\nlisten = '999.1.1.1'\n", "web.listen: this is no address"),
        ("[web]\npublic_url = 'cameras.example.org'\n", "web.public_url: write the address"),
        ("time_zone = 'Mars/Olympus'\n", "time_zone"),
        (
            "[devices]\nnetworks = ['10.20.0.0/16']\n[discovery]\nnetworks = ['10.21.0.0/24']\n",
            "discovery: networks: 10.21.0.0/24 is outside [devices] networks",
        ),
        (
            "[devices]\nnetworks = ['10.0.0.0/8']\n[discovery]\nenabled = true\n",
            "discovery: 16,777,214 addresses are too many for one scan",
        ),
        ("[discovery]\ninterfaces = ['eth0']\n", "discovery.interfaces.0: write an IPv4 address of this machine"),
        ("[discovery]\nports = [80, 70000]\n", "discovery.ports.1"),
    ],
)
def test_each_mistake_gets_a_sentence_that_names_its_place(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(tmp_path, text))


def test_a_missing_file_is_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        load(tmp_path / "nowhere.toml")
