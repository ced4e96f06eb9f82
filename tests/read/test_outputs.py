"""What the run itself writes, among its inputs: passed over if it is ours, refused if it isn't."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.read.reading import write

from undertag.model.output import Output
from undertag.model.problem import Problem, SettingsError
from undertag.read import refuse_replacing, units


def test_the_output_is_passed_over_and_told_once(tmp_path: Path) -> None:
    for name in ("a.jsonl", "out.jsonl", "out.jsonl.partial", "store/events/b.jsonl", "store2/c.jsonl"):
        write(tmp_path, name, b'{"a":1}\n')
    (tmp_path / "link").symlink_to(tmp_path)
    own = ("out.jsonl", "out.jsonl.partial", "store")
    output = Output(name="out", paths=frozenset(str(tmp_path / name) for name in own))
    for given in (tmp_path, tmp_path / "link", tmp_path / "**"):
        problems: list[Problem] = []
        found = {Path(unit.source).name for unit in units([given], problems=problems, output=output)}
        assert found == {"a.jsonl", "c.jsonl"}
        told = [problem for problem in problems if problem.code == "UT110"]
        assert [(one.severity, str(one.place)) for one in told] == [("info", "out")]


def symbolic(folder: Path) -> Path:
    (folder / "link.evtx").symlink_to(folder / "in" / "x.evtx")
    return folder / "link.evtx"


def hard(folder: Path) -> Path:
    os.link(folder / "in" / "x.evtx", folder / "hard.evtx")
    return folder / "hard.evtx"


@pytest.mark.parametrize("foreign", [True, False])
@pytest.mark.parametrize(
    ("name", "named"),
    [
        (lambda folder: folder / "in" / "x.evtx", True),
        (symbolic, True),
        (hard, True),
        (lambda folder: folder / "in", False),
        (lambda folder: folder / "in" / "*.evtx", False),
    ],
    ids=["itself", "symbolic", "hard", "folder", "glob"],
)
def test_an_input_is_not_replaced(
    name: Callable[[Path], Path], named: bool, foreign: bool, tmp_path: Path
) -> None:
    """What an earlier run wrote may be replaced, unless it is named outright."""
    paths = frozenset([str(write(tmp_path, "in/x.evtx", b"evidence"))])
    output = Output(paths=paths, foreign=paths if foreign else frozenset())
    given = name(tmp_path)
    if not named and not foreign:
        refuse_replacing([given], output)
        return
    with pytest.raises(SettingsError, match="UT903 the output would replace this input") as caught:
        refuse_replacing([tmp_path / "not there", given], output)
    assert caught.value.exit_code == 3


def test_a_folder_is_not_read_into_itself(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    output = Output(paths=frozenset([str(tmp_path / "out")]))
    refuse_replacing([tmp_path], output)
    for given in (tmp_path / "out", tmp_path / "out" / "events"):
        with pytest.raises(SettingsError, match="UT903"):
            refuse_replacing([given], output)
