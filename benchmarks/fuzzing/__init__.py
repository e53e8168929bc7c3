"""The parts of ``benchmarks/fuzz.py``: seeds and mutations of every reader, and their campaign.

Read first: ``reader.py`` (what a reader is), ``campaign.py`` (parent), ``worker.py`` (child).
"""
