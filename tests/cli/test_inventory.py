"""The commands `import` and `export` as an operator gives them."""

from __future__ import annotations

import json
import sqlite3
import string
import subprocess
import sys
from pathlib import Path

import pytest

from camera_registry import cli
from camera_registry.cli.inventory import said
from camera_registry.rules.inventory.problems import Flaw, Problem
from camera_registry.store import Store, register
from camera_registry.texts import texts
from tests.shaped import shaped

CANARY = "c4n4ry-pa55"
USER_CANARY = "c4n4ry-user"

GOOD = f"""record,id,name,kind,host,area,username,password
area,east,东区,,,,,
device,cam-1,北门,camera,10.0.0.1,东区,{USER_CANARY},{CANARY}
device,cam-2,南门,camera,10.0.0.2,东区,,
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(
        '[storage]\ndirectory = "data"\n[devices]\nnetworks = ["10.0.0.0/8"]\n', encoding="utf-8"
    )
    (tmp_path / "good.csv").write_text(GOOD, encoding="utf-8")
    shaped(tmp_path / "data")
    assert command(tmp_path, "init") == 0
    return tmp_path


def command(home: Path, *words: str) -> int:
    return cli.main(["--config", str(home / "site.toml"), "--lang", "en", *words])


def devices(home: Path) -> set[str]:
    with Store.open("", home / "data") as store:
        return set(store.read_now(register.load_register).devices)


def test_a_file_is_read_once_and_again_without_a_change(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(home, "import", str(home / "good.csv")) == 0
    assert "3 created, 0 changed, 0 as they were, credentials: 1" in capsys.readouterr().out
    assert command(home, "import", str(home / "good.csv")) == 0
    assert "0 created, 0 changed, 3 as they were, credentials: 0" in capsys.readouterr().out


def test_a_dry_run_tells_the_same_and_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(home, "import", "--dry-run", str(home / "good.csv")) == 0
    assert "3 to create, 0 to change, 0 as they are, credentials: 1" in capsys.readouterr().out
    assert devices(home) == set()


def test_a_dry_run_lists_which_records_would_change_and_how(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(home, "import", str(home / "good.csv")) == 0
    rows = ["id,kind,name,host", "cam-1,camera,West gate,10.0.0.1", "cam-2,camera,南门,10.0.0.2"]
    rows += [f"new-{number},camera,,10.1.0.{number}" for number in range(60)]
    (home / "next.csv").write_text("\n".join(rows), encoding="utf-8")
    capsys.readouterr()
    assert command(home, "import", "--dry-run", str(home / "next.csv")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'change device cam-1: name "北门" -> "West gate"'
    assert lines[1] == 'create device new-0: kind "camera", host "10.1.0.0"'
    assert "cam-2" not in "".join(lines)
    assert lines[-2] == "and 11 more records"
    assert command(home, "--json", "import", "--dry-run", str(home / "next.csv")) == 0
    told = json.loads(capsys.readouterr().out)
    assert (len(told["changes"]), told["changes_left_off"]) == (61, 0)
    assert told["changes"][0] == {
        "record": "device",
        "id": "cam-1",
        "before": {"name": "北门"},
        "after": {"name": "West gate"},
    }


def test_half_of_the_rows_broken_is_all_told_and_nothing_written(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"cam-{number},camera,10.0.0.{'x' if number % 2 else number}" for number in range(100)]
    (home / "half.csv").write_text("\n".join(["id,kind,host", *rows]), encoding="gb18030")
    capsys.readouterr()
    assert command(home, "--json", "import", str(home / "half.csv")) == 2
    told = json.loads(capsys.readouterr().out)
    assert [problem["row"] for problem in told["problems"]] == list(range(3, 102, 2))
    assert told["problems"][0] == {
        "severity": "error",
        "kind": "bad_host",
        "sheet": "",
        "row": 3,
        "column": "host",
        "value": "10.0.0.x",
        "message": "'10.0.0.x' is neither an IP address nor a host name.",
        "remedy": "Write an address like 10.20.0.7 (no leading zeros), or a host name.",
    }
    assert (told["written"], told["errors"], told["warnings"]) == (False, 50, 0)
    assert devices(home) == set()


def test_a_problem_is_one_line_that_says_where_why_and_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "bad.csv").write_text("设备编号,类型,IP地址\nc,摄像机,192.168.0.1\n", encoding="utf-8")
    capsys.readouterr()
    assert command(home, "--lang", "zh", "import", str(home / "bad.csv")) == 2
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith("错误 第 2 行 「IP地址」列: 地址 192.168.0.1 不在允许的设备网段内（10.0.0.0/8）。")
    assert "[devices] networks" in line


def test_what_is_wrong_with_every_row_is_one_line_and_hides_no_other_problem(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"c{number},摄像机,10.0.0.{number},东湖区,admin,{'' if number == 50 else 'x'}" for number in range(1, 101)]
    (home / "list.csv").write_text("\n".join(["设备编号,类型,IP,区域,用户名,密码", *rows]), encoding="gb18030")
    capsys.readouterr()
    assert command(home, "--lang", "zh", "import", str(home / "list.csv")) == 2
    area, password, summary = capsys.readouterr().out.splitlines()
    assert area.startswith("错误 第 2、3、4、5、6、7 等 100 行 「区域」列: 文件和台账里都没有名为「东湖区」的区域。")
    assert "“记录”填“区域”" in area
    assert password.startswith("错误 第 51 行 「用户名」列: 用户名和密码只写了一个，缺少 密码。")
    assert "101 个错误" in summary


def test_a_column_that_a_file_lacks_is_called_by_its_name_in_the_language(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "list.csv").write_text("设备编号,设备名称,IP地址\nc,北门,10.0.0.1\n", encoding="utf-8")
    (home / "odd.csv").write_text("id,name,kind,host\nc,北门,,10.0.0.1\n", encoding="utf-8")
    said = {}
    for language, name in (("zh", "list.csv"), ("en", "list.csv"), ("zh", "odd.csv")):
        capsys.readouterr()
        assert command(home, "--lang", language, "import", str(home / name)) == 2
        said[language, name] = capsys.readouterr().out.splitlines()[0]
    assert said["zh", "list.csv"].startswith("错误 第 2 行 「设备类型」列: 缺少")
    assert "column 'kind'" in said["en", "list.csv"]
    assert "「kind」列" in said["zh", "odd.csv"], "a column that is there is called as it is there"


def test_a_dry_run_names_fields_by_the_columns_of_the_language(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert command(home, "--lang", "zh", "import", "--dry-run", str(home / "good.csv")) == 0
    assert '新增设备 cam-1：设备类型 "camera", 名称 "北门", ip地址 "10.0.0.1"' in capsys.readouterr().out


def test_a_planted_password_is_nowhere(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command(home, "import", str(home / "good.csv"))
    command(home, "export", str(home / "out.csv"))
    command(home, "export", str(home / "out.xlsx"))
    command(home, "backup")
    connection = sqlite3.connect(home / "data" / "camera_registry.db")
    dump = "\n".join(connection.iterdump())
    connection.close()
    on_disk = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file() and file.name != "good.csv")
    said_to_people = "".join(capsys.readouterr())
    for secret in (CANARY, USER_CANARY):
        assert secret not in dump
        assert secret.encode() not in on_disk
        assert secret not in said_to_people


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_an_export_is_read_back_without_a_change(home: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command(home, "import", str(home / "good.csv"))
    assert command(home, "--lang", "zh", "export", str(home / name)) == 0
    capsys.readouterr()
    assert command(home, "import", str(home / name)) == 0
    assert "0 created, 0 changed, 3 as they were" in capsys.readouterr().out


def test_an_import_works_beside_a_running_service_which_can_see_it(home: Path) -> None:
    holding = (
        "import sys; from pathlib import Path; from camera_registry.store import Store, register\n"
        "store = Store.open('', Path(sys.argv[1])); store.claim()\n"
        "print(store.read_now(register.version), flush=True); sys.stdin.readline()\n"
        "print(store.read_now(register.version), flush=True)"
    )
    program = [sys.executable, "-c", holding, str(home / "data")]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdin is not None
        assert service.stdout is not None
        before = int(service.stdout.readline())
        assert command(home, "import", str(home / "good.csv")) == 0
        service.stdin.write("\n")
        service.stdin.flush()
        assert int(service.stdout.readline()) > before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("import", "missing.csv"), "missing.csv: it can't be read: No such file"),
        (("import", "cut.xlsx"), "cut.xlsx: it is named .xlsx and is no workbook"),
        (("export", "out.pdf"), "name the file .csv or .xlsx"),
        (("export", "no/such/folder.csv"), "it can't be written"),
    ],
)
def test_what_cannot_be_read_or_written_ends_with_one_message(
    home: Path,
    words: tuple[str, ...],
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(home)
    Path("cut.xlsx").write_bytes(b"\xff\xfe\xff")
    assert command(home, *words) == 2
    assert told in capsys.readouterr().err


def test_passwords_need_the_key_file_and_nothing_is_written_without(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "data" / "credentials.key").unlink()
    assert command(home, "import", str(home / "good.csv")) == 2
    assert "there is no key file" in capsys.readouterr().err
    assert devices(home) == set()


def test_the_advice_fits_what_is_wrong_and_names_records_in_the_language(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["id,kind,host,area,onvif_port,latitude", "cam-1,camera,10.0.0.1,nope,99999,", "cam-2,camera,,,,117.2"]
    (home / "wrong.csv").write_text("\n".join(rows), encoding="utf-8")
    capsys.readouterr()
    assert command(home, "--lang", "zh", "import", "--dry-run", str(home / "wrong.csv")) == 2
    lines = capsys.readouterr().out.splitlines()
    (area,) = [line for line in lines if "nope" in line]
    (port,) = [line for line in lines if "99999" in line]
    (latitude,) = [line for line in lines if "117.2" in line]
    assert "的区域。" in area
    assert "填反" not in port
    assert "填反" in latitude
    assert "将新增" not in lines[-1]
    assert "也不会写入" in lines[-1]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_problem_has_its_words(language: str) -> None:
    keys = {key.split(".")[1] for key in texts(language).entries if key.startswith("problem.")}
    assert keys - {"place", "severity"} == {flaw.value for flaw in Flaw}
    details = {
        name: "x"
        for key, text in texts(language).entries.items()
        if key.startswith("problem.")
        for _, name, _, _ in string.Formatter().parse(text)
        if name
    }
    for flaw in Flaw:
        what, remedy = said(Problem(flaw, details=details), texts(language))
        assert what
        assert remedy
