"""Derives the CloudTrail entries.

    python tools/derive_aws.py --facts FOLDER --out src/undertag/catalogue/data/derived

One entry an (event source, event name). Where the source's name was only made by rule, the entry's basis is
`derived-unverified`: the event exists, its key may be spelt with another service name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.derive_tables import (
    KNOWLEDGE,
    Table,
    arguments,
    read_facts,
    words,
    write_table,
)

from undertag.catalogue.sources.keys import key_part

_SUFFIX: Final = ".amazonaws.com"
_STATES: Final = {"yes": "on", "no": "off"}
RECORDED_READ_ONLY: Final = {"aws/cloudtrail/cloudtrail/StartLogging": "no"}
"""Key → readOnly as recorded (invictus-ir/aws_dataset) where the table says otherwise."""
COLUMNS: Final = {
    "category": "management, data, insight or network",
    "read_only": "yes, no or unknown: what CloudTrail writes as readOnly",
    "default": "on: in the event history of 90 days without any trail; off: a selector has to ask for it",
    "basis": "derived; derived-unverified: the event source's name was made by rule; read; knowledge",
    "source": "source of the row",
    "required": "required request parameters, spelt as requestParameters has them",
}


def basis_and_source(basis: str, source: str) -> tuple[str, str]:
    """The basis and the source's id of a row.

    >>> basis_and_source("derived", "botocore-1.44.5:iot;eventSource-unverified")
    ('derived-unverified', 'api-models')
    >>> basis_and_source("read", "TrailDiscover;AwsApiCall")
    ('read', 'recordings')
    """
    if source.startswith("botocore"):
        return ("derived-unverified" if source.endswith("eventSource-unverified") else basis), "api-models"
    return basis, "knowledge" if basis == "knowledge" else "recordings"


def request_names(parameters: str) -> str:
    """Parameter names as CloudTrail writes them: the first letter lower case.

    >>> request_names("UserName,policyArn,DBName")
    'userName,policyArn,dBName'
    """
    return ",".join(name[:1].lower() + name[1:] for name in parameters.split(",") if name)


def build(facts: Path) -> Table:
    """The table from a folder of facts."""
    events = read_facts(
        facts,
        "aws-cloudtrail-events.tsv",
        ("eventSource", "eventName", "readOnly", "event_category", "default_on", "required_parameters"),
    )
    table = Table(
        name="aws-cloudtrail",
        script="tools/derive_aws.py",
        defaults=DEFAULTS,
        sources=SOURCES,
        columns=COLUMNS,
        factored=("category", "read_only", "default", "basis", "source"),
        inputs=[events],
        taken_from="botocore 1.44.5 (API models); public CloudTrail recordings",
    )
    for row in events.rows:
        service = row["eventSource"].removesuffix(_SUFFIX).lower()
        basis, source = basis_and_source(row["basis"], row["source"])
        key = f"aws/cloudtrail/{key_part(service)}/{key_part(row['eventName'])}"
        read_only = {"true": "yes", "false": "no"}.get(row["readOnly"], "unknown")
        if RECORDED_READ_ONLY.get(key, read_only) != read_only:
            table.disagreements.append(
                {
                    "subject": f"read_only of {key}",
                    "says": {"aws-cloudtrail-events": read_only, "recordings": RECORDED_READ_ONLY[key]},
                    "follows": "recordings",
                    "why": "What was recorded is what happens; the table tells it from the name.",
                }
            )
            read_only = RECORDED_READ_ONLY[key]
        table.add(
            key,
            words(row["eventName"]),
            category=row["event_category"],
            read_only=read_only,
            default=_STATES.get(row["default_on"], "unknown"),
            basis=basis,
            source=source,
            required=request_names(row["required_parameters"]),
        )
    return table


DEFAULTS: Final[Mapping[str, Any]] = {
    "platform": "aws",
    "product": "AWS CloudTrail",
    "default": [
        {
            "state": "on",
            "where": "management events, in the event history of 90 days; nothing is delivered without a trail",
            "basis": "claimed",
            "source": "knowledge",
        },
        {
            "state": "off",
            "where": "data, insight and network activity events: a trail has to select them",
            "basis": "claimed",
            "source": "knowledge",
        },
    ],
    "volume": "unknown",
    "cost": {"hit": "none", "why": "Recorded by the provider; delivery and storage cost money, not load."},
    "difficulty": "setting",
    "fields": [
        "eventVersion",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "userIdentity",
        "requestParameters",
        "responseElements",
        "errorCode",
        "errorMessage",
        "readOnly",
        "eventCategory",
        "recipientAccountId",
    ],
    "sigma": [{"product": "aws", "service": "cloudtrail"}],
    "sources": ["api-models"],
}
SOURCES: Final[Mapping[str, Any]] = {
    "api-models": {"kind": "table", "title": "botocore 1.44.5: API models of the AWS services"},
    "recordings": {
        "kind": "corpus",
        "title": "Public CloudTrail recordings (TrailDiscover, invictus-ir, panther)",
    },
    "knowledge": KNOWLEDGE,
}

if __name__ == "__main__":
    options = arguments(__doc__)
    write_table(build(options.facts), options.out)
