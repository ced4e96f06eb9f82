"""The catalogue against recordings and rules: hardly an event is unknown, and no log source of a rule is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.corpora import corpus

from undertag.apps.cli.sources_survey import survey
from undertag.catalogue.sources.lookup import load_catalogue
from undertag.catalogue.sources.resolving import Resolver
from undertag.catalogue.sources.sigma import shown

pytestmark = pytest.mark.corpora


def test_few_events_of_attack_samples_are_uncatalogued() -> None:
    found = survey([str(corpus("evtx-attack-samples"))], load_catalogue()).to_json()
    assert found["events"] > 8_000
    assert found["uncatalogued"] <= found["events"] * 0.02


@pytest.mark.slow
def test_few_events_of_security_datasets_are_uncatalogued() -> None:
    found = survey([str(corpus("security-datasets"))], load_catalogue()).to_json()
    assert found["events"] > 1_000
    assert found["uncatalogued"] <= found["events"] * 0.02


@pytest.mark.slow
def test_every_log_source_of_sigmahq_resolves() -> None:
    resolver = Resolver(load_catalogue())
    wanted = set()
    for folder in sorted(corpus("sigma").glob("rules*")):
        for path in folder.rglob("*.yml"):
            wanted |= log_sources(path)
    assert len(wanted) > 100
    known = set(resolver.sigma["sigmahq"])
    for text in sorted(wanted):
        assert text in known, text
        assert resolver.resolve(text).keys, text


def log_sources(path: Path) -> set[str]:
    """The log sources of a rule file."""
    documents = yaml.load_all(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {
        shown(document["logsource"].get(part) for part in ("product", "category", "service"))
        for document in documents
        if isinstance(document, dict) and "logsource" in document
    }
