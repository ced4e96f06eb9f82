"""What sinks make, replace and leave alone."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest

from undertag.model.problem import Place, Problem, StoreError
from undertag.write.events import Sink
from undertag.write.files import FileSink
from undertag.write.store.parquet import StoreSink, part_files
from undertag.write.streams import PipeSink

ABOUT = {"undertag": "0"}
HOW: dict[str, Any] = {"attack_version": "19", "only_tagged": False}


def run(sink: Sink, *, complete: bool = True) -> None:
    sink.open(ABOUT)
    sink.close(complete=complete, problems=[], about=ABOUT)


# -- folders


@pytest.mark.parametrize("note", [{"name": "my own"}, {"complete": False, "name": "my own"}, ["complete"], 1])
def test_a_foreign_folder_is_left_alone(note: Any, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(orjson.dumps(note))
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "notes.txt").touch()
    with pytest.raises(StoreError, match="UT602"):
        StoreSink(tmp_path, **HOW).open(ABOUT)
    assert (tmp_path / "events" / "notes.txt").exists()
    assert orjson.loads((tmp_path / "run.json").read_bytes()) == note


@pytest.mark.parametrize("note", [{"complete": False}, {"complete": True, "undertag": "0.1.0", "inputs": []}])
def test_of_an_older_run_only_its_parts_are_removed(note: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(orjson.dumps(note))
    for day in ("day=2026-01-01", "day=unknown"):
        (tmp_path / "events" / day).mkdir(parents=True)
        for name in ("part-1-0.parquet", ".part-1-1.parquet"):
            (tmp_path / "events" / day / name).touch()
    (tmp_path / "events" / "day=unknown" / "mine.parquet").touch()
    (tmp_path / "events" / "notes.txt").touch()
    StoreSink(tmp_path, **HOW).open(ABOUT)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"run.json", "events/notes.txt", "events/day=unknown/mine.parquet"}
    assert not (tmp_path / "events" / "day=2026-01-01").exists()
    assert orjson.loads((tmp_path / "run.json").read_bytes()) == {"undertag": "0", "complete": False}


@pytest.mark.parametrize("level", ["events", "day", "part"])
def test_what_lies_behind_a_link_in_a_folder_is_left_alone(level: str, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    part = out / "events" / "day=unknown" / "part-1-0.parquet"
    part.parent.mkdir(parents=True)
    part.touch()
    (out / "run.json").write_bytes(orjson.dumps({"complete": True, "undertag": "0"}))
    assert part_files(out) == [str(part)]
    link = {"events": part.parents[1], "day": part.parent, "part": part}[level]
    link.rename(other)
    link.symlink_to(other)
    assert part_files(out) == []
    if level == "events":
        with pytest.raises(StoreError, match="UT602 its folder events is a link"):
            StoreSink(out, **HOW).open(ABOUT)
        assert orjson.loads((out / "run.json").read_bytes())["complete"] is True
    else:
        StoreSink(out, **HOW).open(ABOUT)
        assert not link.is_symlink()
    assert any(path.is_file() for path in (other, *other.rglob("*")))


@pytest.mark.parametrize("name", ["run.json.partial", ".problems.parquet"])
def test_a_note_that_links_to_something_else_is_replaced(name: str, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.write_text("x")
    sink = StoreSink(tmp_path / "out", **HOW)
    sink.open(ABOUT)
    (tmp_path / "out" / name).symlink_to(evidence)
    sink.close(complete=True, problems=[], about=ABOUT)
    assert evidence.read_text() == "x"


# -- files


def test_a_file_is_ours_by_the_note_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("somebody's")
    assert str(out) in FileSink(out, **HOW).output().foreign
    run(FileSink(out, **HOW), complete=False)
    output = FileSink(out, **HOW).output()
    assert str(out) in output.foreign
    assert f"{out}.partial" not in output.foreign
    run(FileSink(out, **HOW))
    output = FileSink(out, **HOW).output()
    assert str(out) not in output.foreign
    assert {str(path) for path in tmp_path.iterdir()} < output.paths


def test_a_killed_run_is_known_by_its_note(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    FileSink(out, **HOW).open(ABOUT)
    assert f"{out}.partial" not in FileSink(out, **HOW).output().foreign


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    for target in (tmp_path / "to" / "there.txt", tmp_path / "to" / "new.txt"):
        link = tmp_path / f"{target.stem}.jsonl"
        link.symlink_to(target)
        target.parent.joinpath("there.txt").write_text("before")
        run(FileSink(link, **HOW))
        assert link.is_symlink()
        assert target.read_bytes() == b""
        assert FileSink(link, **HOW).output().name == str(link)
        assert target.with_name(target.name + ".run.json").is_file()


def test_a_partial_that_links_to_something_else_is_replaced(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.write_text("x")
    os.link(evidence, tmp_path / "out.jsonl.partial")
    run(FileSink(tmp_path / "out.jsonl", **HOW))
    assert evidence.read_text() == "x"


# -- pipes and names


def test_a_pipe_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    sink = PipeSink(pipe, **HOW)
    assert sink.output().holds(str(pipe))
    sink.open(ABOUT)
    sink.take(b"{}\n")
    sink.close(complete=True, problems=[], about=ABOUT)
    reader.join(timeout=10)
    assert got == [b"{}\n"]
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
    assert pipe.is_fifo()


def test_a_pipe_whose_reader_leaves_is_no_whole_output(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    sink = PipeSink(pipe, **HOW)
    sink.open(ABOUT)
    os.close(reader)
    with pytest.raises(StoreError, match=r"UT601 can't write: Broken pipe \(what was written so far is only"):
        sink.take(b"x" * 100_000)


def test_a_pipe_whose_reader_leaves_before_the_end_is_no_whole_output(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    sink = PipeSink(pipe, **HOW)
    sink.open(ABOUT)
    sink.take(b"{}\n")  # which is still held back
    os.close(reader)
    with pytest.raises(StoreError, match="UT601 can't write: Broken pipe"):
        sink.close(complete=True, problems=[], about=ABOUT)


@pytest.mark.parametrize("sink", [FileSink, StoreSink, PipeSink])
def test_an_output_that_can_t_be_made_has_nothing_written(sink: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="UT601") as caught:
        sink(tmp_path / "file" / "out", **HOW).open(ABOUT)
    assert caught.value.problem.hint == "nothing was written"


@pytest.mark.parametrize("sink", [FileSink, StoreSink])
def test_problems_of_files_with_odd_names_are_written(sink: Any, tmp_path: Path) -> None:
    place = Place(source=os.fsdecode(b"\xff\x1b[2J.jsonl"), line=1)
    assert str(place) == r"\udcff\x1b[2J.jsonl:1"
    made = sink(tmp_path / "out", **HOW)
    made.open(ABOUT)
    made.close(complete=True, problems=[Problem(code="UT111", message="x", place=place)], about=ABOUT)
