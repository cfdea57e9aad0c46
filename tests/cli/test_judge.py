"""`judge` on files: what it prints, how it ends, and that no file brings it down."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_registry import cli
from camera_registry.cli.outcome import FAULT, GOOD, MISUSE
from camera_registry.model.picture import JUDGED
from tests.picture import faults, generated
from tests.picture.camera import Camera, light_of
from tests.picture.test_judgement import NOON, day_before

CAMERA = Camera()
STREET = light_of(generated.street(9).pictures[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a healthy picture, a blurred one and references of the same view."""
    made = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(1)
    (made / "good.jpg").write_bytes(CAMERA.take(STREET, NOON, random))
    (made / "blurred.jpg").write_bytes(CAMERA.take(faults.defocus(STREET, 0.8, random), NOON, random))
    for n in range(2):
        (made / f"reference{n}.jpg").write_bytes(CAMERA.take(STREET, day_before(n), random))
    return made


def answers(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_healthy_picture_is_good_and_says_what_was_not_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--json", "judge", str(folder / "good.jpg")]) == GOOD
    (answer,) = answers(capsys)
    assert set(answer) == {
        "id",
        "faults",
        "scores",
        "checked",
        "not_checked",
        "ms",
        "reference_ms",
        "left_out",
        "refused",
    }
    assert answer["faults"] == []
    checked, left = answer["checked"], answer["not_checked"]
    assert isinstance(checked, list)
    assert isinstance(left, dict)
    assert {*checked, *left} == {cause.value for cause in JUDGED}
    assert left["moved"] == "no_reference"


def test_a_blurred_picture_is_a_fault_told_in_words_of_either_language(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [str(folder / "blurred.jpg"), "--reference", *(str(folder / f"reference{n}.jpg") for n in range(2))]
    assert cli.main(["--lang", "zh", "judge", *told]) == FAULT
    assert "清晰度异常" in capsys.readouterr().out
    assert cli.main(["--lang", "en", "judge", *told]) == FAULT
    assert "Blurred" in capsys.readouterr().out


def test_cases_are_answered_line_by_line_and_unknown_keys_are_passed_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    references = ["reference0.jpg", "reference1.jpg"]
    rows = [
        {"id": "a", "frames": ["good.jpg"], "captured_at": ["2026-06-10T12:00:05"], "refs": references, "label": "x"},
        {"id": "b", "frames": ["good.jpg", "good.jpg"], "captured_at": ["2026-06-10T12:00:05", "2026-06-10T12:01:05"]},
        {"id": "c", "frames": ["blurred.jpg"], "refs": references, "ref_at": [None, None], "osd": None},
    ]
    file = folder / "cases.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert cli.main(["--json", "judge", "--cases", str(file)]) == FAULT
    found = {str(answer["id"]): [fault["cause"] for fault in answer["faults"]] for answer in answers(capsys)}  # type: ignore[attr-defined] # a list of objects
    assert found == {"a": [], "b": ["frozen"], "c": ["blurred"]}


def test_cases_of_one_name_are_all_answered_and_named_with_their_lines(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.jsonl"
    names = ["north", "south", "4", None, "north"]
    rows = [{"id": id, "frames": [str(folder / "good.jpg")]} for id in names]
    del rows[3]["id"]  # the number of its line, then
    file.write_text("\n".join(map(json.dumps, rows)))
    assert cli.main(["--json", "--lang", "en", "judge", "--cases", str(file)]) == GOOD
    told = capsys.readouterr()
    assert [json.loads(line)["id"] for line in told.out.splitlines()] == ["north", "south", "4", "4", "north"]
    assert [re.findall(r"lines (.*) all have the id (\w+)", line) for line in told.err.splitlines()] == [
        [("1, 5", "north")],
        [("3, 4", "4")],
    ]


def test_an_answer_has_the_id_of_its_case_as_it_was_given(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.jsonl"
    given = ["north", 7, 7.5, None, {"camera": 1}, True, float("nan")]
    file.write_text("\n".join(json.dumps({"id": id, "frames": [str(folder / "good.jpg")]}) for id in given))
    assert cli.main(["--json", "--lang", "en", "judge", "--cases", str(file)]) == MISUSE
    told = capsys.readouterr()
    assert [json.loads(line)["id"] for line in told.out.splitlines()] == ["north", 7, 7.5, "4"]
    assert [line.removeprefix(f"{file}:") for line in told.err.splitlines()] == [
        '5: id: {"camera": 1} is neither a text nor a number; write one of the two',
        "6: id: true is neither a text nor a number; write one of the two",
        "7: id: NaN is neither a text nor a number; write one of the two",
    ]
    assert cli.main(["--lang", "en", "judge", "--cases", str(file)]) == MISUSE
    assert "\n7\n  " in capsys.readouterr().out


def test_a_wrong_line_of_a_file_of_cases_is_named_and_costs_no_other_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "partly.jsonl"
    good = json.dumps({"id": "a", "frames": ["good.jpg"], "captured_at": ["2026-06-10T12:00:05"]}).encode()
    wrong = [
        b'{"frames": ["none.jpg"]}',
        b"\xff\xfe",
        b'{"frames": ["good.jpg"], "osd": {"box": [0, 0, NaN, 1]}}',
        b"[" * 9999,
    ]
    file.write_bytes(b"\n".join([*wrong[:2], good, *wrong[2:]]))
    assert cli.main(["--json", "--lang", "zh", "judge", "--cases", str(file)]) == MISUSE
    told = capsys.readouterr()
    assert [json.loads(line)["id"] for line in told.out.splitlines()] == ["a"]
    said = told.err.splitlines()
    assert [line.partition("：")[0] for line in said] == [f"{file}:{n}" for n in (1, 2, 4, 5)]
    assert [re.sub(r".*?：", "", line, count=1) for line in said] == [
        f"没有图片 {folder / 'none.jpg'}",
        "第 1 个字节不是 UTF-8；请把文件另存为 UTF-8",
        'osd：请写 null，或 {"box": [x, y, w, h], "format": "YYYY-MM-DD HH:MM:SS"}',
        "括号嵌套过深；请每行写一个 JSON 对象",
    ]


def test_a_picture_that_can_t_be_read_is_told_and_costs_no_other_case(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "unreadable.jsonl"
    # A file that may be opened, and can't be read from its beginning, whoever asks.
    rows = [{"id": "a", "frames": ["/proc/self/mem"]}, {"id": "b", "frames": ["good.jpg"]}]
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert cli.main(["--json", "--lang", "zh", "judge", "--cases", str(file)]) == MISUSE
    told = capsys.readouterr()
    assert [json.loads(line)["id"] for line in told.out.splitlines()] == ["b"]
    assert "a：/proc/self/mem：图片无法读取" in told.err


def test_of_more_pictures_than_can_be_looked_at_the_newest_and_those_of_the_same_time_of_day_are(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "night").mkdir()
    (folder / "night/empty.jpg").write_bytes(b"")
    row = {
        "frames": ["night/empty.jpg"] * 4 + ["good.jpg"] * 16,
        "captured_at": ["2026-06-10T12:00:05"] * 20,
        "refs": ["night/empty.jpg"] * 30 + ["reference0.jpg", "reference1.jpg"] * 6,
        "ref_at": ["2026-06-09T23:00:00"] * 30 + ["2026-06-01T13:00:00"] * 12,
    }
    (folder / "many.jsonl").write_text(json.dumps(row), encoding="utf-8")
    cli.main(["--json", "judge", "--cases", str(folder / "many.jsonl")])
    (answer,) = answers(capsys)
    assert answer["left_out"] == 34
    assert "moved" in answer["checked"]  # type: ignore[operator] # a list of causes


def test_labelled_cases_are_reported_by_cause_and_condition(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    references = ["reference0.jpg", "reference1.jpg"]
    rows: list[dict[str, object]] = [
        {"frames": ["good.jpg"], "refs": references, "cause": "", "condition": "day"},
        {"frames": ["blurred.jpg"], "refs": references, "cause": "blurred", "severity": "severe"},
        {"frames": ["good.jpg"], "refs": references, "cause": "moved", "severity": "severe"},
        {"frames": ["blurred.jpg"], "refs": references, "cause": None, "condition": "fog"},
        {"frames": ["good.jpg"], "cause": "a label of somebody else"},
    ]
    file = folder / "labelled.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert cli.main(["--json", "judge", "--cases", str(file), "--report"]) == GOOD
    (found,) = answers(capsys)
    causes, alarms = found["causes"], found["alarms"]
    assert isinstance(causes, dict)
    assert causes["blurred"]["graded"] == {"severe": [1, 1]}
    assert causes["moved"]["taken_for"] == {"nothing": 1}
    assert alarms == {"day": [0, 1, {}], "fog": [1, 1, {"blurred": 1}]}
    assert cli.main(["--lang", "zh", "judge", "--cases", str(file), "--report"]) == GOOD
    told = capsys.readouterr()
    assert "清晰度异常" in told.out
    assert "1 个用例没有标注" in told.err
    (folder / "unlabelled.jsonl").write_text('{"frames": ["good.jpg"]}', encoding="utf-8")
    assert cli.main(["judge", "--cases", str(folder / "unlabelled.jsonl"), "--report"]) == MISUSE
    assert "no case is labelled" in capsys.readouterr().err


def test_every_fault_of_a_file_of_cases_without_a_right_line_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "wrong.jsonl"
    wrong = ('{"id": "a", "frames": []}', '{"frames": ["none.jpg"]}', "not json", '{"frames": ["good.jpg"], "osd": 3}')
    wrong += ('{"frames": ["good.jpg"], "captured_at": ["noon"]}', "[]", "1" * 5000)
    file.write_text("\n".join(wrong), encoding="utf-8")
    assert cli.main(["judge", "--cases", str(file)]) == MISUSE
    told = capsys.readouterr().err
    assert all(f"wrong.jsonl:{line}:" in told for line in range(1, 8))
    assert "captured_at: 'noon' is no time; write local times as" in told
    assert 'wrong.jsonl:6: a case is a JSON object; write {"frames": [...]}\n' in told


def test_a_file_that_is_no_picture_is_told_as_such_besides(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "list.txt").write_text("no picture", encoding="utf-8")
    assert cli.main(["--lang", "en", "judge", str(folder / "list.txt")]) == FAULT
    assert "list.txt is no JPEG" in capsys.readouterr().out
    assert cli.main(["--lang", "en", "judge", str(folder / "good.jpg")]) == GOOD
    assert "is no JPEG" not in capsys.readouterr().out


def test_why_a_picture_can_t_be_used_is_told_with_its_name_in_either_language(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = (folder / "good.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(good[: len(good) // 2])
    asked = ["judge", str(folder / "cut.jpg"), "--reference", str(folder / "cut.jpg"), str(folder / "reference0.jpg")]
    assert cli.main(["--lang", "zh", *asked]) == FAULT
    assert f"{folder / 'cut.jpg'} 无法使用：JPEG 在 {len(good) // 2} 字节后中断" in capsys.readouterr().out
    assert cli.main(["--json", *asked]) == FAULT
    (found,) = answers(capsys)
    assert found["refused"] == {str(folder / "cut.jpg"): f"a JPEG that is cut off after {len(good) // 2} bytes"}


def test_a_picture_that_is_too_long_is_told_by_its_own_size(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = np.full((600, 4000, 3), 90, np.uint8)
    (folder / "long.jpg").write_bytes(cv2.imencode(".jpg", long)[1].tobytes())
    assert cli.main(["--lang", "zh", "judge", str(folder / "long.jpg")]) == FAULT
    assert "4000 x 600 像素的画面看不出可判断的内容" in capsys.readouterr().out


def test_a_clock_that_can_not_be_read_costs_neither_the_picture_nor_its_other_causes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = [20, 20, 300, 30]
    wrong = [(box, "no format"), (box, "x" * 20_000), (box, "\0"), ([0, 700, 1280, 2], "YYYY-MM-DD HH:MM:SS")]
    rows = [
        {"id": n, "frames": ["good.jpg"], "captured_at": ["2026-06-10T12:00:00"], "osd": {"box": one, "format": layout}}
        for n, (one, layout) in enumerate(wrong)
    ]
    (folder / "clocks.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert cli.main(["--json", "judge", "--cases", str(folder / "clocks.jsonl")]) == GOOD
    for answer in answers(capsys):
        assert answer["not_checked"]["osd_clock"] == "not_readable"  # type: ignore[index] # a table
        assert answer["refused"] == {}


@pytest.mark.parametrize("share", [0.05, 0.15, 0.5, 0.9])
def test_a_picture_whose_data_ends_before_its_end_mark_is_corrupt_and_no_card(
    folder: Path, capsys: pytest.CaptureFixture[str], share: float
) -> None:
    good = (folder / "good.jpg").read_bytes()
    scan = good.index(b"\xff\xda")
    (folder / "ended.jpg").write_bytes(good[: scan + int(share * (len(good) - scan))] + b"\xff\xd9")
    assert cli.main(["--json", "judge", str(folder / "ended.jpg")]) == FAULT
    (found,) = answers(capsys)
    assert [fault["cause"] for fault in found["faults"]] == ["corrupt"]  # type: ignore[attr-defined] # a list of objects


def test_a_picture_with_a_few_bytes_before_its_end_mark_is_whole(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = (folder / "good.jpg").read_bytes()
    (folder / "filled.jpg").write_bytes(good[:-2] + bytes(14) + good[-2:])
    assert cli.main(["--json", "judge", str(folder / "filled.jpg")]) == GOOD


def test_a_picture_that_its_camera_padded_with_zeros_is_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "padded.jpg").write_bytes((folder / "good.jpg").read_bytes() + bytes(20_000))
    assert cli.main(["--json", "judge", str(folder / "padded.jpg")]) == GOOD
    assert answers(capsys)[0]["refused"] == {}


def test_a_file_of_cases_without_a_case_is_a_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "none.jsonl").write_text("\n", encoding="utf-8")
    assert cli.main(["judge", "--cases", str(folder / "none.jsonl")]) == MISUSE
    assert "there is no case in it" in capsys.readouterr().err


def test_what_is_wrong_with_the_words_of_the_command_is_told_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = str(folder / "good.jpg")
    for words, told in (
        ([good, "--captured-at", "noon"], "--captured-at noon: this is no time; write local times as"),
        ([good, "--captured-at", "2026-06-10T12:00", "2026-06-10T12:01"], "2 times are told for 1 frames; write"),
        ([good, "--reference", str(folder)], f"{folder} is a folder; name the pictures in it"),
    ):
        assert cli.main(["--lang", "en", "judge", *words]) == MISUSE
        said = capsys.readouterr().err
        assert told in said
        assert said.count("write") <= 1


@pytest.mark.parametrize("words", [["judge"], ["judge", "none.jpg"], ["judge", "a.jpg", "--cases", "b.jsonl"]])
def test_wrong_usage_is_told_apart_from_a_fault(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == MISUSE
    assert capsys.readouterr().err


def picture(width: int, height: int, *options: int, end: str = ".jpg") -> bytes:
    written, coded = cv2.imencode(end, np.full((height, width, 3), 90, np.uint8), options)
    assert written
    return coded.tobytes()


def cmyk(side: int) -> bytes:
    """A JPEG of four colours, as printers use them, all at the middle level: each block is DC 0 (00), end (1010)."""
    grey = cv2.imencode(".jpg", np.full((16, 16), 90, np.uint8))[1].tobytes()
    tables = b"".join(
        grey[at - 2 : at + int.from_bytes(grey[at : at + 2], "big")]
        for marker in (b"\xff\xdb", b"\xff\xc4")
        for at in (found.end() for found in re.finditer(re.escape(marker), grey))
    )
    size = side.to_bytes(2, "big") * 2
    frame = b"\xff\xc0\x00\x14\x08" + size + b"\x04" + b"".join(bytes((n, 0x11, 0)) for n in range(1, 5))
    scan = b"\xff\xda\x00\x0e\x04" + b"".join(bytes((n, 0)) for n in range(1, 5)) + b"\x00\x3f\x00"
    bits = "001010" * 4 * (side // 8) ** 2
    data = bytes(int(bits[at : at + 8].ljust(8, "1"), 2) for at in range(0, len(bits), 8))
    return b"\xff\xd8" + tables + frame + scan + data + b"\xff\xd9"


def test_a_picture_in_the_colours_of_printers_is_looked_at_like_any_other(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cmyk.jpg").write_bytes(cmyk(320))
    assert cli.main(["--json", "judge", str(folder / "cmyk.jpg")]) == FAULT
    (found,) = answers(capsys)
    assert [fault["cause"] for fault in found["faults"]] == ["no_signal"]  # type: ignore[attr-defined] # a list of objects


def test_hostile_files_are_refused_in_words_and_the_next_picture_is_judged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = (folder / "good.jpg").read_bytes()
    hostile = {
        "empty.jpg": b"",
        "page.jpg": b"<html><body>Login required</body></html>",
        "picture.png": picture(64, 64, end=".png"),
        "half.jpg": good[: len(good) // 2],
        "thin.jpg": picture(1, 65000),
        "long.jpg": picture(1000, 12000),
        "start.jpg": b"\xff\xd8",
        "deep.jpg": good[: good.index(b"\xff\xc0") + 4] + b"\x0c" + good[good.index(b"\xff\xc0") + 5 :],
        "sixteen.png": cv2.imencode(".png", np.full((64, 64), 40000, np.uint16))[1].tobytes(),
        "heavy.jpg": good[:-2] + bytes(9_000_000) + good[-2:],
        "claims.jpg": good[: good.index(b"\xff\xc0") + 5] + b"\xff\xff\xff\xff" + good[good.index(b"\xff\xc0") + 9 :],
    }
    rows = []
    for name, content in hostile.items():
        (folder / name).write_bytes(content)
        rows.append({"id": name, "frames": [name]})
    (folder / "progressive.jpg").write_bytes(
        cv2.imencode(".jpg", cv2.imread(str(folder / "good.jpg")), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))[1].tobytes()
    )
    rows += [{"id": "progressive.jpg", "frames": ["progressive.jpg"]}]
    rows += [{"id": "good", "frames": ["good.jpg"], "refs": ["empty.jpg", "reference0.jpg"]}]
    file = folder / "hostile.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert cli.main(["--json", "judge", "--cases", str(file)]) == FAULT
    found = {str(answer["id"]): answer for answer in answers(capsys)}
    for name in hostile:
        assert [fault["cause"] for fault in found[name]["faults"]] == ["corrupt"], name  # type: ignore[attr-defined] # a list of objects
        assert found[name]["checked"] == ["corrupt"], name
        assert len(found[name]["not_checked"]) == len(JUDGED) - 1, name  # type: ignore[arg-type] # a table
    assert found["progressive.jpg"]["faults"] == []
    assert found["good"]["faults"] == []
    assert "more than the 8388608 bytes" in str(found["heavy.jpg"]["refused"])
