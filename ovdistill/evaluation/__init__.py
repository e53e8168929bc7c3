"""Evaluation in the generalized open-vocabulary protocol: base and novel names in one classifier.

``ov_metric`` and ``proposal_recall`` are mmdet metrics; the arithmetic beside them needs no mmdet.
"""
