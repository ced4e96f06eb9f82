"""The log-source catalogue: what can be switched on, tested and watched, and what it costs.

`load_catalogue()` opens the compiled catalogue that is shipped; `Catalogue.entry(key)` answers with an entry that tells its tier and
where each of its facts comes from; `Resolver` turns names (data sources of 2019, log sources of ATT&CK v18.1 and of Sigma) into
entries. Files → entries happens at build time (`building`, tools/build_catalogue.py), never at run time.
"""

from __future__ import annotations

from undertag.catalogue.sources.lookup import Branch, Catalogue, load_catalogue
from undertag.catalogue.sources.record import Fact, SourceEntry
from undertag.catalogue.sources.resolution import Resolution
from undertag.catalogue.sources.resolving import Resolver

__all__ = ["Branch", "Catalogue", "Fact", "Resolution", "Resolver", "SourceEntry", "load_catalogue"]
