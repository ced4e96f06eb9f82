"""Decodes a STIX 2.0 or 2.1 bundle into objects with the attributes that undertag reads.

Contract: unknown attributes are skipped, descriptions among them; a text that is no whole JSON document or no
bundle raises. No I/O.
"""

from __future__ import annotations

from typing import Final

import msgspec

from undertag.model.problem import CatalogueError, Place, Problem, ReadError

MAX_BRACES: Final = 1_000_000
"""Objects within objects that a bundle may have; official ones have some 200,000."""


class Reference(msgspec.Struct, gc=False):
    """An external reference; one of MITRE holds the ATT&CK id."""

    source_name: str = ""
    external_id: str | None = None


class Phase(msgspec.Struct, gc=False):
    """A tactic that a technique belongs to."""

    kill_chain_name: str = ""
    phase_name: str = ""


class LogSource(msgspec.Struct, gc=False):
    """A name and channel, of a data component or cited by an analytic."""

    name: str | None = None
    channel: str | None = None
    x_mitre_data_component_ref: str = ""


class StixObject(msgspec.Struct, gc=False):
    """Any object of a bundle: the attributes that undertag reads, all others are skipped."""

    type: str
    id: str = ""
    name: str = ""
    modified: str = ""
    revoked: bool | None = None
    x_mitre_deprecated: bool | None = None
    external_references: tuple[Reference, ...] = ()
    kill_chain_phases: tuple[Phase, ...] = ()
    x_mitre_platforms: tuple[str, ...] = ()
    x_mitre_data_sources: tuple[str, ...] = ()
    x_mitre_shortname: str = ""
    x_mitre_version: str = ""
    x_mitre_data_source_ref: str = ""
    x_mitre_analytic_refs: tuple[str, ...] = ()
    x_mitre_log_source_references: tuple[LogSource, ...] = ()
    x_mitre_log_sources: tuple[LogSource, ...] = ()
    relationship_type: str = ""
    source_ref: str = ""
    target_ref: str = ""

    @property
    def attack_id(self) -> str:
        """The object's ATT&CK id; "" where it has none."""
        for reference in self.external_references:
            if reference.external_id and reference.source_name.startswith("mitre-"):
                return reference.external_id
        return ""

    @property
    def state(self) -> str:
        """`active`, `revoked` or `deprecated`."""
        if self.revoked:
            return "revoked"
        return "deprecated" if self.x_mitre_deprecated else "active"


class _Bundle(msgspec.Struct, gc=False):
    """The bundle itself."""

    type: str = ""
    objects: tuple[StixObject, ...] = ()


def decode_bundle(data: bytes, source: str) -> tuple[StixObject, ...]:
    """The objects of a bundle's text.

    Raises:
        ReadError: UT341, no whole JSON document.
        CatalogueError: UT342, JSON but no STIX bundle.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.lstrip(b" \t\r\n")[:1] == b"{":
        raise CatalogueError(
            Problem(
                code="UT342",
                message="this is no STIX bundle: it doesn't begin with a JSON object",
                place=Place(source=source, offset=0),
                hint="give the enterprise-attack JSON file of an ATT&CK release",
            )
        )
    if data.count(b"{") > MAX_BRACES:
        raise CatalogueError(
            Problem(
                code="UT342",
                message=f"the file holds more than {MAX_BRACES:,} objects, so it is no ATT&CK bundle",
                place=Place(source=source),
                hint="give the enterprise-attack JSON file of an ATT&CK release",
            )
        )
    try:
        bundle = msgspec.json.decode(data, type=_Bundle)
    except msgspec.ValidationError as error:
        raise CatalogueError(
            Problem(
                code="UT342",
                message=f"this is JSON, but no STIX bundle: {error}",
                place=Place(source=source),
                hint="give the enterprise-attack JSON file of an ATT&CK release",
            )
        ) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ReadError(
            Problem(
                code="UT341",
                message=f"the file is no whole JSON document: {error}",
                place=Place(source=source),
                hint="it may have been cut short: compare its size, fetch it again",
            )
        ) from error
    if bundle.type != "bundle":
        raise CatalogueError(
            Problem(
                code="UT342",
                message=f"this is JSON, but no STIX bundle: its type is {bundle.type[:40]!r}",
                place=Place(source=source),
                hint="give the enterprise-attack JSON file of an ATT&CK release",
            )
        )
    return bundle.objects
