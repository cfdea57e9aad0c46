"""Evidence pictures: few, small, short-lived, under names that no device chose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from camera_registry.store.pictures import MAX_BYTES, Picture, PictureKind, Pictures

AT = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
JPEG = b"\xff\xd8 picture \xff\xd9"


def test_the_newest_of_each_kind_comes_back_with_its_time(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    pictures.save("cam-1", "", PictureKind.LAST, b"\xff\xd8 old", AT - timedelta(hours=1))
    pictures.save("cam-1", "", PictureKind.LAST, JPEG, AT)
    pictures.save("cam-1", "cam-1/2", PictureKind.LAST_GOOD, JPEG, AT)
    assert pictures.read("cam-1", "", PictureKind.LAST) == Picture(JPEG, AT)
    assert pictures.read("cam-1", "", PictureKind.LAST_GOOD) is None
    assert pictures.times("cam-1", "cam-1/2") == {PictureKind.LAST_GOOD: AT}


def test_no_name_that_a_device_chose_reaches_the_disk(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    for device in ("../../etc/passwd", "a/b", "\ud800", "C:\\x", "名" * 300):
        pictures.save(device, "", PictureKind.LAST, JPEG, AT)
        assert pictures.read(device, "", PictureKind.LAST) is not None
    names = [path.relative_to(tmp_path / "pictures") for path in tmp_path.rglob("*.jpg")]
    assert len(names) == 5
    assert all(str(name).replace("/", "").removesuffix(".jpg").isalnum() for name in names)


def test_pictures_past_their_days_go_and_so_does_what_an_interrupted_write_left(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    pictures.save("cam-1", "", PictureKind.LAST_FAULTY, JPEG, AT - timedelta(days=8))
    pictures.save("cam-1", "", PictureKind.LAST, JPEG, AT - timedelta(days=6))
    (left,) = {
        path.parent for path in tmp_path.rglob("*.jpg") if pictures.read("cam-1", "", PictureKind.LAST_FAULTY)
    } - {pictures._path("cam-1", "", PictureKind.LAST).parent}
    (left / "half.1.partial").write_bytes(b"half")
    assert pictures.sweep(AT, timedelta(days=7)) == 1
    assert pictures.times("cam-1", "") == {PictureKind.LAST: AT - timedelta(days=6)}
    pictures.sweep(datetime.now(UTC) + timedelta(hours=2), timedelta(days=100_000))
    assert list(tmp_path.rglob("*.partial")) == []


def test_what_is_no_small_jpeg_is_refused(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    for bad in (b"", b"\x89PNG", JPEG + bytes(MAX_BYTES)):
        with pytest.raises(ValueError, match="cam-1"):
            pictures.save("cam-1", "", PictureKind.LAST, bad, AT)
    assert pictures.read("cam-1", "", PictureKind.LAST) is None


def test_a_removed_channel_leaves_no_picture(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    pictures.save("cam-1", "", PictureKind.LAST, JPEG, AT)
    pictures.remove("cam-1", "")
    assert pictures.times("cam-1", "") == {}
