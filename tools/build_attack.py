"""Makes the embedded ATT&CK facts from STIX bundles and tables.

    python tools/build_attack.py --from FOLDER [--release-info release_info.py]

FOLDER holds `enterprise-attack-<version>[.anything].json` for each release, `v19-techniques.tsv` (id, name,
tactics, is_subtechnique) and `v18-to-v19-moves.tsv` (from, to). `successors.tsv` beside the data adds what
they lack. `--release-info` is the module of mitreattack-python that lists the SHA-256 of each official
bundle; it is parsed, never run. The same inputs give the same bytes; what was read is recorded.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from undertag.catalogue.attack.bundle import BundleFacts, Row, read_bundle

DATA = Path(__file__).parent.parent / "src" / "undertag" / "catalogue" / "data" / "attack"
STATES = ("active", "revoked", "deprecated")
BASES = {
    "revoked-by": "A revoked-by relationship in the STIX bundle of the release.",
    "moves-table": "A table of v18 to v19 moves made from the v19 release.",
    "restated": "A revoked-by relationship of v19 as restated in public by Elastic (Kibana test data, ATT&CK "
    "v18.1 to v19.1), checked against ids and names of v19: the bundle of v19 itself was not at hand.",
    "deprecation-note": "The note with which ATT&CK deprecated the technique, as public copies show it; no "
    "successor here means that the note names none.",
    "component-of": "The data components that belonged to the data source in v17.1 and are active in v18.1.",
    "tactic-table": "The tactics of v19's techniques; ids as ATT&CK's site has them.",
}
V19_TACTICS = {"stealth": ("TA0005", "Stealth"), "defense-impairment": ("TA0112", "Defense Impairment")}


def main() -> None:
    """Reads the arguments and writes the data files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="folder", type=Path, required=True)
    parser.add_argument("--release-info", type=Path)
    parser.add_argument("--out", type=Path, default=DATA)
    arguments = parser.parse_args()
    files = sorted(
        arguments.folder.glob("enterprise-attack-*.json"), key=lambda path: number(version_of(path))
    )
    bundles = {version_of(path): read_bundle(path.read_bytes(), path.name) for path in files}
    for version, facts in bundles.items():
        for problem in facts.problems:
            print(f"{version}: {problem}")
    build(arguments.folder, files, bundles, arguments.out)
    if arguments.release_info:
        write_hashes(arguments.release_info, arguments.out)


def version_of(path: Path) -> str:
    """The release in a file name.

    >>> version_of(Path("enterprise-attack-18.1.reduced.json"))
    '18.1'
    """
    return ".".join(path.name.removeprefix("enterprise-attack-").split(".")[:2])


def number(version: str) -> tuple[int, ...]:
    """A version that sorts."""
    return tuple(int(part) for part in version.split("."))


def build(folder: Path, files: list[Path], bundles: Mapping[str, BundleFacts], out: Path) -> None:
    """Writes objects.json and telemetry.json."""
    extra = read_table(DATA / "successors.tsv")
    rows = {version: dict(facts.rows) for version, facts in bundles.items()}
    tactics = {version: dict(facts.tactics) for version, facts in bundles.items()}
    last = list(bundles)[-1]
    basis = data_source_successors(bundles, rows)
    basis |= add_notes(extra, rows)
    rows["19"], moved = thin_v19(folder, extra, rows[last])
    basis |= moved
    tactics["19"] = {
        key: value for key, value in tactics[last].items() if key != "defense-evasion"
    } | V19_TACTICS
    read = {version_of(path): [describe(path)] for path in files}
    read["19"] = [describe(folder / name) for name in ("v19-techniques.tsv", "v18-to-v19-moves.tsv")]
    check(rows, tactics)
    inherited = {"19": {"platforms": last, "data sources and log sources": last}}
    document = encode(rows, tactics, basis, read, inherited)
    write(out / "objects.json", document, "objects")
    write(out / "telemetry.json", telemetry(bundles), "")
    for version in rows:
        states = [row[3] for key, row in rows[version].items() if key.startswith("T")]
        print(version, {state: states.count(state) for state in STATES}, len(tactics[version]), "tactics")


def describe(path: Path) -> dict[str, Any]:
    """Name, size and hash of an input."""
    data = path.read_bytes()
    return {"file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def read_table(path: Path) -> list[dict[str, str]]:
    """A table with a head line; lines that begin with # are left out."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t"))


def add_notes(extra: Iterable[Mapping[str, str]], rows: dict[str, dict[str, Row]]) -> dict[str, str]:
    """Adds the successors that deprecation notes name, from the release on that deprecates the technique."""
    basis = {}
    for line in extra:
        if line["basis"] != "deprecation-note":
            continue
        after = tuple(sorted(line["successors"].split()))
        for version, objects in rows.items():
            row = objects.get(line["id"])
            if row is not None and row[3] == "deprecated":
                if number(version) < number(line["by"]):
                    raise SystemExit(f"successors.tsv: {line['id']} is deprecated in {version} already")
                objects[line["id"]] = (*row[:4], after)
                basis[line["id"]] = "deprecation-note"
    return basis


def data_source_successors(
    bundles: Mapping[str, BundleFacts], rows: dict[str, dict[str, Row]]
) -> dict[str, str]:
    """Where a deprecated data source went: to the data components that belonged to it before."""
    basis = {}
    owners: dict[str, str] = {}
    for version, facts in bundles.items():
        owners = {**owners, **facts.component_sources}
        active = {
            row[0]: key for key, row in facts.rows.items() if key.startswith("DC") and row[3] == "active"
        }
        for key, row in facts.rows.items():
            if key.startswith("DS") and row[3] == "deprecated":
                parts = sorted(
                    active[name] for name, owner in owners.items() if owner == key and name in active
                )
                rows[version][key] = (*row[:4], tuple(parts))
                basis[key] = "component-of"
    return basis


def thin_v19(
    folder: Path, extra: Iterable[Mapping[str, str]], before: Mapping[str, Row]
) -> tuple[dict[str, Row], dict[str, str]]:
    """The rows of v19: its own ids, names and tactics; the rest from the release before."""
    moves = {
        line["from"]: (line["to"], "moves-table") for line in read_table(folder / "v18-to-v19-moves.tsv")
    }
    moves |= {line["id"]: (line["successors"], line["basis"]) for line in extra if line["by"] == "19"}
    rows: dict[str, Row] = {}
    for line in read_table(folder / "v19-techniques.tsv"):
        old = before.get(line["id"])
        names = tuple(sorted(line["tactics"].replace(",", " ").replace(";", " ").split()))
        rows[line["id"]] = (line["name"], names, old[2] if old else (), "active", ())
    basis = {}
    for key, row in before.items():
        if key in rows:
            continue
        if row[3] != "active" or not key.startswith("T"):
            rows[key] = row
        elif key in moves:
            target, why = moves[key]
            rows[key] = (row[0], row[1], row[2], "revoked", (target,))
            basis[key] = why
        else:
            raise SystemExit(f"{key} {row[0]} is active in v18.1 and gone in v19 without a successor")
    return dict(sorted(rows.items())), basis


def check(rows: Mapping[str, Mapping[str, Row]], tactics: Mapping[str, Mapping[str, Any]]) -> None:
    """Stops on a successor or tactic that the release doesn't have."""
    for version, objects in rows.items():
        for key, row in objects.items():
            missing = [after for after in row[4] if after not in objects]
            if missing:
                raise SystemExit(f"{version}: {key} points to {missing}, which the release doesn't have")
            strange = [name for name in row[1] if row[3] == "active" and name not in tactics[version]]
            if strange:
                raise SystemExit(f"{version}: {key} has unknown tactics {strange}")


def encode(
    rows: Mapping[str, Mapping[str, Row]],
    tactics: Mapping[str, Mapping[str, tuple[str, str]]],
    basis: Mapping[str, str],
    read: Mapping[str, Any],
    inherited: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """The document: each object's rows, each with the number of the release that it is good from."""
    everything = [row for objects in rows.values() for row in objects.values()]
    tactic_names = sorted({name for row in everything for name in row[1]})
    platform_names = sorted({name for row in everything for name in row[2]})
    histories: dict[str, list[list[Any]]] = {}
    for index, objects in enumerate(rows.values()):
        for key in sorted(histories.keys() | objects.keys()):
            row = objects.get(key)
            line: list[Any] = [index]
            if row is not None:
                name, own, platforms, state, after = row
                numbers = [tactic_names.index(item) for item in own]
                places = [platform_names.index(item) for item in platforms]
                line += [name, numbers, places, STATES.index(state), list(after)]
            told = histories.setdefault(key, [])
            if not told or told[-1][1:] != line[1:]:
                told.append(line)
    return {
        "format": 1,
        "releases": [
            {
                "version": version,
                "tactics": [[name, *value] for name, value in tactics[version].items()],
                "inherited": inherited.get(version, {}),
                "read": read[version],
            }
            for version in rows
        ],
        "tactics": tactic_names,
        "platforms": platform_names,
        "bases": BASES,
        "basis": dict(sorted(basis.items())),
        "tactic_moves": [
            {
                "from": "defense-evasion",
                "to": ["stealth", "defense-impairment"],
                "by": "19",
                "basis": "tactic-table",
            }
        ],
        "objects": dict(sorted(histories.items())),
    }


def telemetry(bundles: Mapping[str, BundleFacts]) -> dict[str, Any]:
    """Data sources (before v9), data components (v9 to v17) and log sources (v18) of each technique."""
    document: dict[str, Any] = {"format": 1, "data_sources": {}, "components": {}, "log_sources": {}}
    for version, facts in bundles.items():
        if facts.components:
            owners = facts.component_sources
            document["components"][version] = {
                "owners": owners,
                "techniques": table(facts.components),
            }
        elif facts.data_sources:
            document["data_sources"][version] = table(facts.data_sources)
        if facts.log_sources:
            document["log_sources"][version] = [
                [row.component, row.name, row.channel, list(row.event_ids), list(row.techniques)]
                for row in facts.log_sources
            ]
    return document


def table(lists: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Lists of names as lists of numbers, with the names once."""
    names = sorted({name for values in lists.values() for name in values})
    return {
        "names": names,
        "of": {key: [names.index(name) for name in values] for key, values in lists.items()},
    }


def write(path: Path, document: Mapping[str, Any], by_line: str) -> None:
    """Writes JSON, one object a line under `by_line`, so that changes can be reviewed."""
    parts = []
    for key, value in document.items():
        if (key == by_line or not by_line) and isinstance(value, dict):
            inner = ",\n".join(f"{compact(name)}:{compact(item)}" for name, item in value.items())
            parts.append(f"{compact(key)}:{{\n{inner}\n}}")
        else:
            parts.append(f"{compact(key)}:{compact(value)}")
    path.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")
    print(path.name, path.stat().st_size, "bytes")


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_hashes(release_info: Path, out: Path) -> None:
    """Writes hashes.json from the tables STIX20 and STIX21 of mitreattack-python's release_info module."""
    tree = ast.parse(release_info.read_text(encoding="utf-8"))
    tables: dict[str, Any] = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if node.targets[0].id in ("STIX20", "STIX21")
    }
    document: dict[str, Any] = {
        "source": "mitreattack-python 6.3.1 (Apache-2.0), mitreattack.release_info",
        "read": describe(release_info),
        "enterprise": {
            "2.0": tables["STIX20"]["enterprise"],
            "2.1": tables["STIX21"]["enterprise"],
        },
    }
    (out / "hashes.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print("hashes.json", len(document["enterprise"]["2.0"]), len(document["enterprise"]["2.1"]))


if __name__ == "__main__":
    main()
