"""Observations and changes of the roster come out of their rows as they went in, whatever a device said."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from camera_registry.link import codec
from camera_registry.link.pipe import Message, Pipe
from camera_registry.model.chain import Link, LinkSeen, LinkState, Way
from camera_registry.model.observation import Failure, FailureKind, Observation, Stage
from camera_registry.model.roster import Drop, Entry, Hurry, LeaveAlone, Parent, Put, RosterChange, Target, Task

NOON = datetime(2026, 10, 1, 4, 0, 0, 123456, tzinfo=UTC)
WAY = Way(NOON, (LinkSeen(Link.HOST, LinkState.BROKEN, "chain.silent", {"host": "192.0.2.7"}, 1.5),))
LOST = Failure(FailureKind.TIMEOUT, Stage.CONNECT, "no answer", "timeout", {"seconds": 2.5}, WAY)


async def sent(body: object, pictures: list[bytes]) -> Message:
    """What arrives at the other end of a pipe."""
    one, other = [await Pipe.over(sock) for sock in socket.socketpair()]
    try:
        await one.send("seen", body, pictures)
        heard = await other.receive()
    finally:
        one.close()
        other.close()
    assert heard is not None
    return heard


async def test_observations_arrive_with_their_times_failures_and_own_pictures() -> None:
    batch = [
        Observation("cam-1", "tcp", NOON, 0.01, facts={"port": 80}),
        Observation("cam-2", "snapshot", NOON, 0.2, "ch-1", {"mean": 6.1, "tiles": [[1, 2]]}, None, b"\xff\xd8one"),
        Observation("cam-3", "rtsp", NOON + timedelta(days=1), 2.5, failure=LOST),
        Observation("cam-4", "snapshot", NOON, 0.2, picture=b""),
        Observation("cam-5", "snapshot", NOON, 0.2, picture=b"\xff\xd8two"),
    ]
    heard = await sent(*codec.observed(batch))
    assert codec.observations(heard.body, heard.blobs) == batch


async def test_what_is_no_text_in_a_devices_answer_is_an_observation_all_the_same() -> None:
    said = "\ud800 serial"
    batch = [
        Observation("cam-1", "onvif", NOON, 0.01, facts={"serial": said}),
        Observation("cam-2", "onvif", NOON, 0.01, failure=Failure(FailureKind.PROTOCOL, Stage.ANSWER, said)),
        Observation(
            "cam-3", "onvif", NOON, 0.01, failure=Failure(FailureKind.AUTH, Stage.ANSWER, "", "k", {"v": said})
        ),
    ]
    heard = await sent(*codec.observed(batch))
    assert codec.observations(heard.body, heard.blobs) == batch


CHANGES: list[RosterChange] = [
    Put(
        Entry(
            Target(
                "cam-1",
                "192.0.2.7",
                {"onvif": 80, "rtsp": 554},
                "cred-1",
                tls=True,
                certificate="ab" * 32,
                credentials={"rtsp": "cred-2"},
                parents=(Parent("sw-1", "192.0.2.1", 22),),
            ),
            (Task("onvif", 60, 8.0), Task("rtsp", 60.5, 8.0, "ch-1", {"token": "a", "tokens": ["b"]}, soon=True)),
        )
    ),
    Drop("cam-1"),
    Hurry("cam-1", "rtsp", "ch-1", 9.5),
    Hurry("cam-1", "rtsp", "", 0),
    LeaveAlone("cam-1", "cred-1", 3, "*", NOON, NOON + timedelta(minutes=30)),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)
async def test_changes_of_the_roster_arrive_as_they_were_told(change: RosterChange) -> None:
    heard = await sent([codec.told(change)], [])
    (row,) = heard.body
    arrived: Any = codec.change(row)
    if isinstance(change, Put):
        # Lists of options come out as lists, as out of a file.
        assert arrived.entry.target == change.entry.target
        assert [task.options for task in arrived.entry.tasks] == [task.options for task in change.entry.tasks]
    assert arrived == change


@pytest.mark.parametrize(
    "row", [None, [], ["put", {}], ["drop", 7], ["hurry", "a", "b", "c", "d"], ["quiet", 1], ["?"]]
)
def test_a_row_that_is_no_change_is_refused(row: object) -> None:
    with pytest.raises(ValueError, match=r"no change of the roster|validation error"):
        codec.change(row)


@pytest.mark.parametrize(
    ("rows", "pictures"),
    [
        ([["cam-1", "tcp"]], []),
        ([["cam-1", "tcp", "yesterday", 0.1, "", {}, None, False]], []),
        ([["cam-1", "tcp", NOON.isoformat(), 0.1, "", {}, {"kind": "bored"}, False]], []),
        ([["cam-1", "tcp", NOON.isoformat(), 0.1, "", {}, None, True]], []),
        ([7], []),
    ],
    ids=["short", "no time", "no failure", "no picture", "no row"],
)
def test_rows_that_are_no_observations_are_refused(rows: list[object], pictures: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"no observations|not enough|isoformat|validation error"):
        codec.observations(rows, pictures)


def test_a_batch_of_any_length_is_cut_into_pieces_that_fit_one_message() -> None:
    plain = [Observation(f"cam-{n}", "tcp", NOON, 0.01) for n in range(codec.PIECE * 2 + 1)]
    assert [len(piece) for piece in codec.pieces(plain)] == [codec.PIECE, codec.PIECE, 1]
    large = bytes(codec.PIECE_BYTES // 2 + 1)
    pictured = [Observation(f"cam-{n}", "snapshot", NOON, 0.1, picture=large) for n in range(5)]
    assert [len(piece) for piece in codec.pieces(pictured)] == [2, 2, 1]
    assert [seen for piece in codec.pieces(plain + pictured) for seen in piece] == plain + pictured
    assert list(codec.pieces([])) == []
