"""Evaluation in the generalized open-vocabulary protocol: one classifier for all classes.

``ov_metric`` and ``proposal_recall`` are mmdet metrics; the arithmetic in the other modules works
without mmdet. ``analysis`` takes a test run apart, ``report_page`` writes what it finds.
"""
