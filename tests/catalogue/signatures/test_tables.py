"""The tables: what is shipped is current, loads quickly, and mistakes in them are told."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from undertag.catalogue.attack import Release, load_release
from undertag.catalogue.signatures import tag_facts, tag_names
from undertag.catalogue.signatures.compiling import FILES, compile_tables, digest
from undertag.catalogue.signatures.describing import FORM, MAX_BYTES, STRENGTHS
from undertag.catalogue.signatures.tables import FOLDER, FORMAT, PATH, load_tables, open_artefact
from undertag.model.problem import CatalogueError


def test_what_is_shipped_is_current() -> None:
    assert open_artefact().digest == digest(), "run tools/build_signatures.py"
    assert PATH.read_bytes() == compile_tables()


def test_loading_is_quick() -> None:
    best = min(_seconds_to_load() for _ in range(5))
    assert best < 0.03


def _seconds_to_load() -> float:
    start = time.perf_counter()
    load_tables()
    return time.perf_counter() - start


def test_importing_reads_no_table() -> None:
    code = (
        "import sys, undertag.catalogue.signatures as s\n"
        "print(s.load_reader.cache_info().currsize, 'yaml' in sys.modules, 're2' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["0", "False", "False"]


def test_many_families_are_known() -> None:
    tables = load_tables()
    assert len(tables.families) >= 300
    assert len(tables.aliases) > len(tables.families)


@pytest.fixture(scope="module")
def release() -> Release:
    return load_release()


@pytest.mark.parametrize("tag", tag_names())
def test_tags_are_well_formed_and_link_to_techniques_that_exist(tag: str, release: Release) -> None:
    assert FORM.fullmatch(tag)
    assert len(tag.encode()) <= MAX_BYTES
    for link in tag_facts(tag).relates:
        assert release.technique(link.id) is not None
        assert link.strength in STRENGTHS
        assert link.because


def test_an_unknown_tag_is_told() -> None:
    with pytest.raises(CatalogueError, match="UT331"):
        tag_facts("obs.av.no-such-thing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


MISTAKES = {
    "a word with two types": ("words.yml", "  joke: [joke,", "  joke: [joke, ransomware,", "ransomware"),
    "an unknown type": ("words.yml", "  joke: [joke,", "  jest: [joke,", "jest"),
    "a family that is a word": ("families.yml", "      LaZagne: [", "      LaZagne: [agent, ", "agent"),
    "a spelling of two families": (
        "families.yml",
        "      LaZagne: [",
        "      LaZagne: [mimikatz, ",
        "mimikatz",
    ),
    "an unknown vendor": ("conventions.yml", "  - {vendor: maldet,", "  - {vendor: nobody,", "nobody"),
    "an unknown fidelity": ("fidelity.yml", "fidelity: none,", "fidelity: sure,", "sure"),
    "a tag without a description": ("tags.yml", "  obs.av.dialer:", "  obs.av.dialler:", "obs.av.dialer"),
    "a tag that is too long": (
        "tags.yml",
        "  obs.av.dialer:",
        "  obs.av.dialer-and-much-more-than-that:",
        "at most 31",
    ),
    "too strong a link": ("tags.yml", "T1486: [consistent,", "T1486: [conclusive,", "conclusive"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told(mistake: str, folder: Path) -> None:
    name, old, new, told = MISTAKES[mistake]
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"UT332") as caught:
        compile_tables(folder)
    assert told in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "missing", "other format"])
def test_a_damaged_file_is_told(damage: str, tmp_path: Path) -> None:
    data = PATH.read_bytes()
    path = tmp_path / "signatures.bin"
    if damage == "flipped":
        at = data.index(b"Mimikatz")
        path.write_bytes(data[:at] + b"X" + data[at + 1 :])
    elif damage == "other format":
        head = b"\xa6format"
        path.write_bytes(data.replace(head + bytes([FORMAT]), head + bytes([FORMAT + 1]), 1))
    elif damage != "missing":
        path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
    with pytest.raises(CatalogueError, match="UT330"):
        load_tables(path)
