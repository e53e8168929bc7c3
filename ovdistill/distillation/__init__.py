"""Distillation terms, one folder for each method.

``term.py`` is the seam that a term plugs into, and ``batch.py`` has what a term sees of a batch.
Each method's folder has ``loss.py`` (formulas on plain tensors, torch only), ``term.py`` (the
registered term) and a README.
"""
