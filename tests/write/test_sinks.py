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
from undertag.write.store.parquet import StoreSink
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


@pytest.mark.parametrize("sink", [FileSink, StoreSink])
def test_problems_of_files_with_odd_names_are_written(sink: Any, tmp_path: Path) -> None:
    place = Place(source=os.fsdecode(b"\xff\x1b[2J.jsonl"), line=1)
    assert str(place) == r"\udcff\x1b[2J.jsonl:1"
    made = sink(tmp_path / "out", **HOW)
    made.open(ABOUT)
    made.close(complete=True, problems=[Problem(code="UT111", message="x", place=place)], about=ABOUT)
