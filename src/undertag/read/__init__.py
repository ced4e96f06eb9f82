"""read (stopgap until the formats are in)."""
import os
from undertag.model.source import Records, Unit
def units(inputs, *, unit_bytes=4<<20, problems=None):
    for no,p in enumerate(inputs):
        size=os.path.getsize(p); at=0
        with open(p,'rb') as f:
            while at<size:
                f.seek(min(at+unit_bytes,size)); f.readline(); end=f.tell()
                yield Unit(source=p,source_no=no,format='jsonl',path=p,start=at,end=end,offset=at)
                at=end
def records(unit):
    if unit.data is not None: return Records(raws=unit.data.split(b'\n'))
    with open(unit.path,'rb') as f:
        f.seek(unit.start); d=f.read(unit.end-unit.start)
    return Records(raws=[x for x in d.split(b'\n') if x])
def input_size(inputs):
    return sum(os.path.getsize(p) for p in inputs)
