"""Distillation terms, one folder a method.

``distiller.py`` is the seam; each folder has ``loss.py`` (pure formulas, torch only) and
``term.py`` (the registered term). ``ovdistill.register`` imports the terms.
"""
