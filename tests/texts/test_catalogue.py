"""Every word of the vocabulary has a text in both languages, and no text is left over."""

from __future__ import annotations

import ast
import re
import string
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import camera_registry
from camera_registry.console.photographs import OrderPicture
from camera_registry.model.attachment import AttachmentKind
from camera_registry.model.baseline import Regime, Unaccepted
from camera_registry.model.chain import Link, LinkState
from camera_registry.model.coverage import PointKind, Sight, Uncomputable, ViewState
from camera_registry.model.device import Kind, Life, TlsUse, TrafficKind
from camera_registry.model.discovery import Oversight, ProposalKind, ProposalState
from camera_registry.model.health import Aspect, Cause, State, Status
from camera_registry.model.incident import Party, Scope, Severity
from camera_registry.model.maintenance import WindowKind
from camera_registry.model.notice import NoticeState, Occasion
from camera_registry.model.observation import FailureKind, Stage
from camera_registry.model.people import Role
from camera_registry.model.picture import Unjudged
from camera_registry.model.place import SiteCategory
from camera_registry.model.rates import Exclusion
from camera_registry.model.register import KINDS
from camera_registry.model.work_order import CancelReason, HoldReason, OrderState, OrderStep, Phase
from camera_registry.rules import pictures
from camera_registry.rules.access import Action
from camera_registry.rules.device_files import FileFlaw
from camera_registry.rules.dispatch.deeds import Deed
from camera_registry.rules.pictures import usual
from camera_registry.texts import LANGUAGES, preferred, texts

VOCABULARY: tuple[type[StrEnum], ...] = (
    Action, Aspect, AttachmentKind, CancelReason, Cause, Deed, Exclusion, FailureKind, FileFlaw, HoldReason, Kind, Life,
    Link, LinkState, NoticeState, Occasion, OrderPicture, OrderState, OrderStep, Oversight, Party, Phase, ProposalKind,
    ProposalState, PointKind, Regime, Role, Scope, Severity, Sight, SiteCategory, Stage, State, Status, TlsUse,
    TrafficKind, Unaccepted, Uncomputable, Unjudged, ViewState, WindowKind,
)  # fmt: skip


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_hold_the_same_keys() -> None:
    zh, en = texts("zh").entries, texts("en").entries
    assert set(zh) == set(en)


def test_a_text_asks_for_the_same_values_in_both_languages() -> None:
    zh, en = texts("zh").entries, texts("en").entries
    assert {key for key in zh if placeholders(zh[key]) != placeholders(en[key])} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("vocabulary", VOCABULARY, ids=lambda vocabulary: vocabulary.__name__)
def test_every_member_of_the_vocabulary_has_a_name_of_its_own(language: str, vocabulary: type[StrEnum]) -> None:
    names = [texts(language).name(member) for member in vocabulary]
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_says_why_and_what_to_do_next(language: str, cause: Cause) -> None:
    words = texts(language)
    stop = "。" if language == "zh" else "."
    assert words.why(cause).endswith(stop)
    assert words.next(cause).endswith(stop)
    assert words.why(cause) != words.next(cause)


def test_no_text_is_left_over() -> None:
    """A key is used when it stands in quotes somewhere, or names a member of the vocabulary, or counts things."""
    package = Path(camera_registry.__file__).parent
    trees = (package, package.with_name("exporters"))
    sources = [file for tree in trees for kind in ("*.py", "*.html") for file in tree.rglob(kind)]
    quoted = set(re.findall(r"[\"']([a-z_]+(?:\.[a-z_0-9]+)+)[\"']", "\n".join(f.read_text("utf-8") for f in sources)))
    # What code puts together from a section and a value.
    composed = re.compile(
        r"(cause|failure_kind|stage|state|status|aspect|kind|traffic_kind|life|role|tls_use|site_category|duration|"
        r"step|failure|chain|link_next|link|link_state|command|field|fact|problem|snapshot_kind|unjudged|regime|party|"
        r"scope|severity|window_kind|window_flaw|incident_step|evidence|proposal_kind|proposal_state|oversight|"
        r"view_state|sight|point_kind|uncomputable|coverage_audit|coverage_report|occasion|notice_state|"
        r"delivery_result|muted_because|channel_kind|decision|thing|action|wrong_value|order_state|"
        r"hold_reason|cancel_reason|phase|order_step|deed|order\.refusal|exclusion|file_flaw|job_state|report_flaw|"
        r"not_computable|orders_by|sorting|demand|untold|mark_kind|trend_measure|unaccepted|"
        r"attachment_kind|order_picture|settings_flaw|(?:command|usage|store|log|plan|listen|script|fault|case|gate)_error|"
        r"log_flaw|doctor|doctor_check|inventory_column|weak_password|help|finding|listed|review_measure|measure|measured|"
        r"report\.(?:column|fact|formula|note|table|table_note|about))\.|notice\.line\.|"
        r"incidents\.which_|orders\.which_|windows\.(now|planned|past|devices|tags|areas|parents)$|"
        r"reports\.(availability|contractors|files|coverage)$|coverage\.(flaw|is|key)_|refusal\.\w+\.|list\.order_|device\.last_|proposals\.accept\."
    )
    unused = {
        key
        for key in texts("en").entries
        if not composed.match(key)
        and key not in quoted
        and key.removesuffix(".one").removesuffix(".other") not in quoted
    }
    assert unused == set()


def test_every_refusal_is_given_somewhere_and_says_what_and_what_to_do() -> None:
    console = Path(camera_registry.__file__).parent / "console"
    source = "\n".join(file.read_text("utf-8") for file in console.rglob("*.py"))
    refusals: dict[str, set[str]] = {}
    for key in texts("en").entries:
        section, _, rest = key.partition(".")
        code, _, part = rest.partition(".")
        if section == "refusal" and part:
            refusals.setdefault(code, set()).add(part)
    assert all(parts == {"detail", "remedy"} for parts in refusals.values())
    assert {code for code in refusals if f'"{code}"' not in source} == set()
    given = set(re.findall(r'Problem\(\s*HTTPStatus\.\w+,\s*"(\w+)"', source))
    assert given <= set(refusals)


def test_every_mistake_of_the_settings_has_a_text() -> None:
    package = Path(camera_registry.__file__).parent
    source = "\n".join(file.read_text("utf-8") for file in package.glob("*.py"))
    given = set(re.findall(r'(?:refused\(|Wrong\([^,()]+,)\s*"(\w+)"', source))
    assert len(given) > 25
    assert {key for key in given if f"settings_flaw.{key}" not in texts("en").entries} == set()


def test_everything_that_can_be_missing_has_a_name() -> None:
    console = Path(camera_registry.__file__).parent / "console"
    source = "\n".join(file.read_text("utf-8") for file in console.rglob("*.py"))
    missed = set(re.findall(r'(?:not_found|number)\((?:asked, )?"(\w+)"', source))
    named = {key.removeprefix("thing.") for key in texts("en").entries if key.startswith("thing.")}
    assert named == {*missed, *KINDS, "credential"}


@pytest.mark.parametrize("vocabulary", VOCABULARY, ids=lambda vocabulary: vocabulary.__name__)
def test_no_name_is_left_over_from_a_member_that_is_gone(vocabulary: type[StrEnum]) -> None:
    section = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", vocabulary.__name__).lower()
    named = {key.split(".")[1] for key in texts("en").entries if key.startswith(f"{section}.")}
    assert named == {member.value for member in vocabulary}


def test_a_length_of_time_is_said_in_its_largest_units() -> None:
    en, zh = texts("en"), texts("zh")
    assert en.duration(timedelta(seconds=0)) == "0 seconds"
    assert en.duration(timedelta(seconds=61)) == "1 minute"
    assert en.duration(timedelta(hours=2, minutes=5, seconds=9)) == "2 hours 5 minutes"
    assert en.duration(timedelta(days=1)) == "1 day"
    assert zh.duration(timedelta(days=3, hours=4)) == "3 天 4 小时"
    assert en.ago(timedelta(seconds=40)) == "40 seconds ago"
    assert zh.ago(timedelta(minutes=3)) == "3 分钟前"


def test_a_clock_that_stepped_back_is_shown_as_just_now() -> None:
    assert texts("en").ago(timedelta(seconds=-30)) == "just now"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9", "en"),
        ("fr,de;q=0.9", None),
        ("fr, en;q=0.1, zh;q=0.5", "zh"),
        ("en;q=0", None),
        ("en;q=nonsense, zh;q=0.2", "zh"),
        ("", None),
    ],
)
def test_the_browser_is_answered_in_the_language_it_prefers(header: str, language: str | None) -> None:
    assert preferred(header) == language


def test_a_language_we_do_not_speak_is_answered_in_the_default_one() -> None:
    assert texts("fr") is texts("fr")
    assert texts("fr").language == "zh"


SAID = {
    "95 % of the picture is darker than 9 of 255": "画面的 95% 暗于 9（满 255）",
    "HTTP 404 at /status: correct http_path, or see what is wrong with the device's web server": "http_path",
    "HTTP 503 at /status": "/status 返回 HTTP 503",
    "the stream is 640 x 360, declared 1920 x 1080": "码流为 640 x 360，应为 1920 x 1080",
    "recordings have gaps: north lacks 12 min of the last 24 h, in short gaps (1 of 4 recordings)": "4 路中的 1 路",
    "it runs on battery, 12 minutes are left": "12 分钟",
    "contrast is at 58% of what it was on May 1 and falls 1.2% a day; it will be unusable about July 1": "July 1 前后",
    "10.20.0.7 port 554: nothing listens there (connection refused)": "10.20.0.7 端口 554：",
    "nothing listens there (connection refused)": "该端口没有服务",
    "no answer within 4 s": "4 秒",
    "the picture can't be used: a JPEG that is cut off after 900 bytes": "画面无法使用：JPEG 在 900 字节后中断",
    "a picture of 6010 x 1000 pixels shows nothing that could be judged": "6010 x 1000 像素的画面看不出可判断的内容",
    "port 7 has no link: see the cable and the device": "端口 7 无链路",
    "10.20.0.7 port 554: no way there (No route to host)": "没有到主机的路由",
    "somebody wrote this": "somebody wrote this",
}


@pytest.mark.parametrize("said", SAID)
def test_what_probes_and_rules_said_is_told_in_the_readers_language(said: str) -> None:
    assert texts("en").retold(said) == said
    told = texts("zh").retold(said)
    assert SAID[said] in told
    assert (told == said) is (said == "somebody wrote this")


def test_a_time_of_day_is_told_by_the_clock_of_the_reader() -> None:
    said = "the password was refused at 02:46:45 UTC; left alone until 16:00:00 UTC so that its account is not locked"
    at = datetime(2026, 11, 28, 2, 46, 45, tzinfo=UTC).astimezone(ZoneInfo("Asia/Shanghai"))
    assert "refused at 10:46:45; left alone until 00:00:00 so" in texts("en").retold(said, at)
    for told in ("10:46:45", "00:00:00"):
        assert told in texts("zh").retold(said, at)
    assert "02:46:45 UTC" in texts("zh").retold(said)


def test_every_finding_is_told_with_whatever_values() -> None:
    """As rules fill them in, so that no page fails over a value that another text wants."""
    en, zh = texts("en"), texts("zh")
    for key, text in en.entries.items():
        if key.startswith(("finding.", "failure.")) and placeholders(text) and key != "failure.place":
            said = text.format_map(dict.fromkeys(placeholders(text) - {"place"}, "7") | {"place": ""})
            assert zh.retold(said) != said, key


def test_every_measure_by_which_a_picture_is_strange_has_a_name() -> None:
    named = {key.removeprefix("review_measure.") for key in texts("en").entries if key.startswith("review_measure.")}
    assert named - {"higher", "lower"} == set(usual.learned(dict.fromkeys(named, 0.0)))
    assert len(named) == len(usual._LEAST) + 2


def named_as_evidence(function: ast.AST) -> set[str]:
    """The measures that a rule may name: what it picks, and what it puts in a mapping beside that."""
    found: set[object] = set()
    calls = [one for one in ast.walk(function) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)]
    if not {"verdict", "PictureFault"} & {one.func.id for one in calls if isinstance(one.func, ast.Name)}:
        return set()
    for one in ast.walk(function):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "pick":
            found |= {name.value for name in one.args[1:] if isinstance(name, ast.Constant)}
        elif isinstance(one, ast.Dict):
            found |= {name.value for name in one.keys if isinstance(name, ast.Constant)}
        elif isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store) and isinstance(one.slice, ast.Constant):
            found.add(one.slice.value)
    return {name for name in found if isinstance(name, str)}


def test_every_measure_that_a_rule_may_name_is_told_in_words_and_no_other_one() -> None:
    sources = [ast.parse(file.read_text("utf-8")) for file in Path(pictures.__file__).parent.glob("*.py")]
    rules = [one for source in sources for one in ast.walk(source) if isinstance(one, ast.FunctionDef)]
    named = set().union(*map(named_as_evidence, rules))
    assert len(named) > 50
    for language in LANGUAGES:
        told = {key.removeprefix("measure.") for key in texts(language).entries if key.startswith("measure.")}
        assert told == named


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_picture_was_found_by_is_told_in_words_with_its_unit(language: str) -> None:
    words = texts(language)
    told = words.retold("hidden 0.314, mean 12.5, stopped 1, blue -0.25, lost 1e-05")
    assert ("31 %" in told, "12.5" in told, "255" in told, words("listed.yes") in told) == (True,) * 4
    assert "0.78" in told, "a logarithm is told as the factor that it is"
    assert not re.search(r"hidden|stopped|lost", told if language == "zh" else "")
    assert "0 %" in words.retold("local -0.12"), "unlike is unlike"
    assert "-" not in words.retold("local -0.12")
    # Of another version, and what is no measure at all.
    assert words.retold("hidden 0.5, quaint 0.25").endswith("quaint 0.25")
    assert words.retold("firmware 5.1") == "firmware 5.1"
