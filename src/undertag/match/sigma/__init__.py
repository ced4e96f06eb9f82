"""Sigma rule files → rules the engine can run. pySigma lives here and nowhere else."""
