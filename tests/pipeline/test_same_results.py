"""The same events and rules give the same output, however the work was cut up and whoever did it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pipeline.mixed import RULES, Corpus, write_corpus, write_rules
from tests.pipeline.running import lines, stored, tagged
from tests.read.reading import CORPORA, needs_corpora

from undertag.pipeline.run import Summary

NAMES = [*RULES, "keyword", "any"]


def told(summary: Summary) -> Any:
    """A summary without what may differ: its time, and the order of problems."""
    problems = sorted(map(str, summary.problems))
    return replace(summary, seconds=0.0, problems=problems)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return write_corpus(tmp_path_factory.mktemp("mixed") / "in")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules") / "rules")


@pytest.fixture(scope="module")
def plain(corpus: Corpus, rules: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Summary]:
    """One worker, one unit a file: what all others are held to."""
    out = tmp_path_factory.mktemp("plain") / "out.jsonl"
    summary = tagged([corpus.folder], rules, out, unit_bytes=1 << 30)
    return out.read_bytes(), summary


def test_every_record_is_an_event_or_a_problem(corpus: Corpus, plain: tuple[bytes, Summary]) -> None:
    data, summary = plain
    events = [orjson.loads(line) for line in data.splitlines()]
    assert len(events) == summary.events == corpus.events
    assert (
        sum(count for (_, severity), count in summary.counts.items() if severity == "error") == corpus.damaged
    )
    assert len({event["undertag"]["event_uid"] for event in events}) < corpus.events  # f.gz repeats a.jsonl
    assert set(summary.rule_hits) >= {
        f"{number:08x}-0000-4000-8000-000000000000" for number in range(len(NAMES))
    }


def test_equal_records_of_one_source_stay_apart(corpus: Corpus, rules: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    tagged([corpus.folder / "a.jsonl"], rules, out)
    uids = [event["undertag"]["event_uid"] for event in lines(out)]
    assert len(uids) == len(set(uids)) == 407


@pytest.mark.parametrize(
    ("workers", "unit_bytes"),
    [(1, 1 << 10), (1, 4 << 20), (2, 1 << 10), (2, 10_000), (3, 10_000), (3, 1 << 20)],
)
def test_workers_and_units_change_nothing(
    workers: int, unit_bytes: int, corpus: Corpus, rules: Path, plain: tuple[bytes, Summary], tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    summary = tagged([corpus.folder], rules, out, workers=workers, unit_bytes=unit_bytes)
    assert out.read_bytes() == plain[0]
    assert told(summary) == told(plain[1])


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    workers=st.integers(1, 3),
    unit_bytes=st.integers(1 << 10, 1 << 19),
    order=st.permutations(NAMES),
    seed=st.integers(0, 1 << 16),
)
def test_any_corpus_and_any_order_of_rules(
    workers: int, unit_bytes: int, order: list[str], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    corpus = write_corpus(folder / "in", events=40, seed=seed)
    tagged([corpus.folder], write_rules(folder / "r1"), folder / "one.jsonl", unit_bytes=1 << 30)
    tagged(
        [corpus.folder],
        write_rules(folder / "r2", order),
        folder / "two.jsonl",
        workers=workers,
        unit_bytes=unit_bytes,
    )
    assert (folder / "one.jsonl").read_bytes() == (folder / "two.jsonl").read_bytes()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_folder_holds_the_same_rows(workers: int, corpus: Corpus, rules: Path, tmp_path: Path) -> None:
    tagged([corpus.folder], rules, tmp_path / "one", unit_bytes=1 << 30)
    tagged([corpus.folder], rules, tmp_path / "two", workers=workers, unit_bytes=3_000)
    assert stored(tmp_path / "two") == stored(tmp_path / "one")
    assert len(stored(tmp_path / "one")) == corpus.events


def test_a_folder_and_a_file_say_the_same(
    corpus: Corpus, rules: Path, plain: tuple[bytes, Summary], tmp_path: Path
) -> None:
    tagged([corpus.folder], rules, tmp_path / "out")
    written = [orjson.loads(line)["undertag"] for line in plain[0].splitlines()]
    import pyarrow.dataset as ds

    rows = ds.dataset(
        [str(path) for path in (tmp_path / "out" / "events").rglob("*.parquet")], format="parquet"
    ).to_table()
    assert sorted(rows["event_uid"].to_pylist()) == sorted(said["event_uid"] for said in written)
    assert sorted(rows["rules"].to_pylist()) == sorted(
        orjson.dumps(said["rules"]).decode() for said in written
    )
    assert sorted(map(tuple, rows["tags"].to_pylist())) == sorted(
        tuple(tag["tag"] for tag in said["tags"]) for said in written
    )


def test_a_source_says_the_same_whatever_stands_before_it(
    corpus: Corpus, rules: Path, tmp_path: Path
) -> None:
    files = sorted(corpus.folder.iterdir())
    alone = {}
    for file in files:
        out = tmp_path / f"{file.name}.jsonl"
        tagged([file], rules, out, unit_bytes=5_000)
        alone[file] = out.read_bytes()
    random.Random(3).shuffle(files)
    tagged(files, rules, tmp_path / "all.jsonl", workers=2, unit_bytes=9_000)
    assert (tmp_path / "all.jsonl").read_bytes() == b"".join(alone[file] for file in files)


@pytest.fixture(scope="module")
def samples() -> Iterator[list[Path]]:
    yield sorted((CORPORA / "evtx-attack-samples").rglob("*.evtx"))


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "unit_bytes"), [(2, 64 << 10), (3, 4 << 20)])
@pytest.mark.corpora
@needs_corpora[1]
def test_real_recordings(workers: int, unit_bytes: int, samples: list[Path], tmp_path: Path) -> None:
    rules = CORPORA / "sigma" / "rules" / "windows"
    tagged(samples, rules, tmp_path / "one.jsonl")
    summary = tagged(samples, rules, tmp_path / "two.jsonl", workers=workers, unit_bytes=unit_bytes)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert summary.events > 8_000
