"""The tables of devices: written between their marks, and found out when they are out of date."""

from __future__ import annotations

from tests.tools import load

TEXT = "# Top\n\n<!-- devices: written by tools/devices.py -->\nold\n<!-- end of devices -->\n\nRest\n"


def test_a_table_is_written_between_its_marks_and_nothing_else_changes():
    tool = load("devices")
    new = tool.between(TEXT, "devices", "| a |\n|---|")
    assert new == TEXT.replace("\nold\n", "\n\n| a |\n|---|\n\n")
    assert tool.between(new, "devices", "| a |\n|---|") == new


def test_a_text_without_marks_is_left_alone():
    assert load("devices").between("# Top\n", "devices", "| a |") == "# Top\n"


def test_a_table_that_is_out_of_date_is_found_out(tmp_path, monkeypatch, capsys):
    tool = load("devices")
    (tmp_path / "quirks").mkdir()
    for file in (tmp_path / "README.md", tmp_path.parent / "README.md"):
        file.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(tool, "DEVICES", tmp_path)
    monkeypatch.setattr(tool, "TOP", tmp_path.parent)
    monkeypatch.setattr("sys.argv", ["devices.py", "--check"])
    assert tool.main() == 1
    assert "out of date" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["devices.py"])
    assert tool.main() == 0
    monkeypatch.setattr("sys.argv", ["devices.py", "--check"])
    assert tool.main() == 0
