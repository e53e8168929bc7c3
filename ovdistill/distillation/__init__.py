"""Distillation terms, one folder for each method.

``term.py`` is the seam and ``batch.py`` what a term sees. Each folder has ``loss.py`` (formulas on
plain tensors, torch only) and ``term.py`` (the registered term).
"""
