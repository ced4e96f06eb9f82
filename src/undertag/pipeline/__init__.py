"""The way of every event: read → enrich → match → tag → cluster → write.

`run.py` is a whole run, `way.py` the way of one unit on one page, `workers.py` the same in several processes.
"""
