"""undertag: says what each security event is, and weighs what it may mean.

    import undertag

    tagging = undertag.Tagging(undertag.load_rules(["rules/"]).rules)
    for event in tagging.tag(events):
        print(event.uid, event.tags)

Importing it loads nothing heavy; names are fetched when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from undertag.model.problem import Problem, UndertagError
    from undertag.pipeline.api import TaggedEvent, Tagging, load_pack, load_rules
    from undertag.tag.tagger import TagSettings

__all__ = [
    "Problem",
    "TagSettings",
    "TaggedEvent",
    "Tagging",
    "UndertagError",
    "__version__",
    "load_pack",
    "load_rules",
]

_HOMES = {
    "Problem": "undertag.model.problem",
    "UndertagError": "undertag.model.problem",
    "TagSettings": "undertag.tag.tagger",
    "TaggedEvent": "undertag.pipeline.api",
    "Tagging": "undertag.pipeline.api",
    "load_pack": "undertag.pipeline.api",
    "load_rules": "undertag.pipeline.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'undertag' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
