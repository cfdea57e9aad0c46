"""Tests how commands are found, what options they share, and how they end."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from camera_registry import cli
from camera_registry.cli import usage
from camera_registry.cli.outcome import FAULT, GOOD, CommandError
from camera_registry.model.probe import PROBES
from camera_registry.texts import LANGUAGES, texts


class Answers:
    """A module of commands: `ask` remembers what it was given and ends as it is told."""

    def __init__(self) -> None:
        self.seen: list[argparse.Namespace] = []
        self.ends: int | BaseException = GOOD

    def add(self, commands, common):
        commands.add_parser("ask", parents=[common]).set_defaults(func=self.ask)

    def ask(self, args: argparse.Namespace) -> int:
        self.seen.append(args)
        if isinstance(self.ends, BaseException):
            raise self.ends
        return self.ends


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    module = Answers()
    monkeypatch.setattr(cli, "modules", lambda command: [module])
    return module


@pytest.mark.parametrize(
    "argv",
    [
        ["--json", "--lang", "zh", "--config", "site.toml", "ask"],
        ["ask", "--json", "--lang", "zh", "--config", "site.toml"],
        ["--json", "--lang", "en", "ask", "--lang", "zh", "--config", "site.toml"],
    ],
)
def test_global_options_stand_before_or_after_the_command(answers, argv):
    assert cli.main(argv) == GOOD
    (args,) = answers.seen
    assert (args.json, args.lang, args.config) == (True, "zh", Path("site.toml"))


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_without_options_the_locale_chooses_the_language(answers, monkeypatch, environ, language):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    cli.main(["ask"])
    (args,) = answers.seen
    assert (args.json, args.lang, args.config) == (False, language, Path("config/camera_registry.toml"))


def test_a_fault_found_is_exit_code_1(answers):
    answers.ends = FAULT
    assert cli.main(["ask"]) == 1


def test_a_command_error_is_told_on_stderr_and_is_exit_code_2(answers, capsys):
    answers.ends = CommandError("no_user", name="li")
    assert cli.main(["ask"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "camera-registry: there is no user li" in told.err


def test_a_command_error_is_told_in_the_language_that_was_asked_for(answers, capsys):
    answers.ends = CommandError("no_user", name="li")
    assert cli.main(["--lang", "zh", "ask"]) == cli.main(["ask", "--lang=zh"]) == 2
    assert capsys.readouterr().err.count("没有用户 li") == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "缺少必需的参数：COMMAND"),
        (["frobnicate"], "参数 COMMAND：没有 'frobnicate' 这个选择（可选："),
        (["demo", "--devices", "many"], "参数 --devices：'many' 不是 int 类型的值"),
        (["demo", "--devices"], "参数 --devices：后面须有一个值"),
        (["doctor", "--colour"], "无法识别的参数：--colour"),
    ],
)
def test_what_is_not_understood_is_told_in_the_language_that_was_asked_for(given, said, capsys):
    for language in (["--lang", "zh"], ["--lang", "en"]):
        with pytest.raises(SystemExit) as ended:
            cli.main([*language, *given])
        assert ended.value.code == 2
    chinese, english = capsys.readouterr().err.split("usage: ")
    assert said in chinese
    assert chinese.startswith("用法：camera-registry")
    assert "error: " in english


def test_a_command_that_ctrl_c_ends_says_so(answers, capsys):
    answers.ends = KeyboardInterrupt()
    assert cli.main(["ask"]) == 130
    assert "stopped before it was done" in capsys.readouterr().err


def test_an_unknown_command_is_exit_code_2(answers, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["guess"])
    assert ended.value.code == 2
    assert "guess" in capsys.readouterr().err


def test_the_program_is_installed_and_is_also_a_module():
    installed = Path(sys.executable).with_name("camera-registry")
    for program in ([installed], [sys.executable, "-m", "camera_registry"]):
        result = subprocess.run([*program, "--version"], capture_output=True, text=True, timeout=60, check=True)
        assert result.stdout == f"camera-registry {cli.__version__}\n"


@pytest.mark.parametrize("before", [[], ["--json", "--lang", "en", "--config=none.toml"], ["--config", "none.toml"]])
def test_a_command_waits_for_no_other_commands_modules(before):
    script = (
        "import sys; from camera_registry import cli\n"
        f"try: cli.main([*{before}, 'simulate', '--help'])\n"
        "except SystemExit: print({'sqlalchemy', 'pydantic'} & set(sys.modules))\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_stops_reading_is_no_error(lines):
    script = "from camera_registry import cli; import sys; sys.exit(cli.main(['ask']))"
    talker = (
        "import types; from camera_registry import cli\n"
        f"def talk(args):\n    for _ in range({lines}): print('more')\n    return 0\n"
        "def add(commands, common): commands.add_parser('ask', parents=[common]).set_defaults(func=talk)\n"
        "cli.modules = lambda command: [types.SimpleNamespace(add=add)]\n"
    )
    reader, writer = os.pipe()
    with subprocess.Popen([sys.executable, "-c", talker + script], stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        os.close(reader)
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


def program(*words: str, **given) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "camera_registry", *words]
    return subprocess.run(command, stderr=subprocess.PIPE, timeout=60, check=False, **given)


def test_output_that_finds_no_room_is_told_and_no_fault_of_a_device():
    with Path("/dev/full").open("w") as full:
        ended = program("--lang", "en", "--version", stdout=full, env={**os.environ, "PYTHONUNBUFFERED": ""})
    assert (ended.returncode, ended.stderr.count(b"\n")) == (2, 1)
    assert b"standard output: it can't be written: No space left on device" in ended.stderr


def test_streams_that_are_closed_or_lack_a_letter_end_no_command():
    words = ["--lang", "zh", "--config", "none.toml", "check-config"]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = program(*words, env=ascii_only, preexec_fn=lambda: os.closerange(0, 2))
    assert ended.returncode == 2
    assert ended.stderr.startswith(b"camera-registry: none.toml:")
    assert b"\\u6ca1\\u6709" in ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["windows", "add", "--reason", "x", "--begins", "0001-01-01"], "参数 --begins：'0001-01-01' 不是时间"),
        (["windows", "add", "--reason", "x", "--minutes", "inf"], "参数 --minutes：'inf' 不是 0 到 525600 之间的数"),
        (
            ["token", "create", "x", "--role", "viewer", "--days", "1e300"],
            "参数 --days：'1e300' 不是 0 到 36500 之间的数",
        ),
        (["report", "availability", "--from", "x", "--to", "2026-10-01"], "参数 --from：'x' 不是时间"),
        (["audit", "coverage", "--at", "0001-01-01"], "参数 --at：'0001-01-01' 不是时间"),
        (["probe", "127.0.0.1", "--timeout", "nan"], "参数 --timeout：'nan' 不是 0.1 到 600 之间的数"),
        (["windows", "cancel", "9" * 20], "参数 id：'99999999999999999999' 不是 0 到 9223372036854775807 之间的数"),
        (["demo", "--minutes", "-1"], "参数 --minutes：'-1' 不是 0 到 525600 之间的数"),
    ],
)
def test_times_and_numbers_out_of_all_reason_are_refused_before_anything_is_done(given, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--lang", "zh", *given])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def commands_of(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """A parser and those of all commands beneath it."""
    verbs = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [parser, *(one for action in verbs for child in action.choices.values() for one in commands_of(child))]


def commands_in(parser: argparse.ArgumentParser) -> list[str]:
    (verbs,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return list(verbs.choices)


@pytest.mark.parametrize(("module", "commands"), cli.MODULES.items())
def test_a_module_is_found_by_each_command_that_it_adds(module, commands):
    for command in commands:
        assert commands_in(cli.parser("en", command)) == list(commands)


def test_help_and_what_is_no_command_know_all_commands():
    every = [command for commands in cli.MODULES.values() for command in commands]
    for word in (None, "--help", "guess"):
        assert commands_in(cli.parser("en", word)) == every


def test_every_command_and_argument_says_what_it_is_and_no_help_is_left_over():
    known = {key for key in texts("en").entries if key.startswith("help.")}
    used = {"help.about"}
    for parser in commands_of(cli.parser("en")):
        if " " in parser.prog:
            line, _ = usage.keys_of(parser, usage.LINE)
            assert line in known, parser.prog
            used |= {line, *known.intersection(usage.keys_of(parser, usage.ABOUT))}
        for action in parser._actions:
            if not isinstance(action, argparse._SubParsersAction):
                own, shared = usage.keys_of(parser, action.dest)
                assert {own, shared} & known, f"{parser.prog}: {action.dest}"
                used.add(own if own in known else shared)
    assert known - used == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_of_every_command_is_in_the_readers_language(language, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for parser in commands_of(cli.parser(language)):
        told = parser.format_help()
        assert ("options:" in told) is (language == "en")
        assert ("选项:" in told) is (language == "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_names_every_probe(language):
    assert all(probe in texts(language)("help.shared.probes") for probe in PROBES)


def test_chinese_help_keeps_within_the_width_of_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    (told,) = [one.format_help() for one in commands_of(cli.parser("zh")) if one.prog == "camera-registry import"]
    wide = [line for line in told.splitlines() if sum(1 + (ord(one) > 0x2E80) for one in line) > 60]
    assert wide == []
