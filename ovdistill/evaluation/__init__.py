"""Evaluation in the generalized open-vocabulary protocol: base and novel words in one classifier.

Importing this package registers ``OVMetric`` and ``ProposalRecall`` with mmdet; report.py writes
what they give.
"""

from ovdistill.evaluation.ov_metric import OVMetric
from ovdistill.evaluation.proposals import ProposalRecall

__all__ = ["OVMetric", "ProposalRecall"]
