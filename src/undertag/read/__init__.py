"""Reading: inputs → units → raw records. The registry of formats is in `registry`, normalising in
`normalise`."""

from undertag.read.faults import is_unread
from undertag.read.open import UNIT_BYTES, input_size, locate, records, units
from undertag.read.outputs import refuse_replacing

__all__ = ["UNIT_BYTES", "input_size", "is_unread", "locate", "records", "refuse_replacing", "units"]
