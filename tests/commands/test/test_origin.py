"""What `ovdistill test` measures and notes beside AP."""

from __future__ import annotations

import pytest
from mmdet.registry import METRICS

from ovdistill.commands.test.inputs import evaluators, instance_evaluator
from ovdistill.commands.test.origin import add_proposal_recall, proposals_per_image
from ovdistill.core.errors import UserError
from ovdistill.evaluation.ov_metric import OVMetric
from ovdistill.models.config import load_config


def config_for(recipe: str, **options):
    config = load_config(recipe, options)
    add_proposal_recall(config)
    return config, [one for one in evaluators(config) if one["type"] == "ProposalRecall"]


def test_an_rpn_that_keeps_a_thousand():
    config, (recall,) = config_for("vild_r50_lvis")
    assert recall["numbers"] == [10, 100, 300, 1000]
    assert recall["ann_file"] == config.test_evaluator[0]["ann_file"]
    assert config.model.test_cfg.rcnn.keep_proposals
    assert proposals_per_image(config) == 1000


@pytest.mark.parametrize(("kept", "numbers"), [(100, [10, 100]), (500, [10, 100, 300]), (7, [7])])
def test_no_more_than_the_rpn_keeps(kept, numbers):
    options = {"model.test_cfg.rpn.max_per_img": kept}
    config, (recall,) = config_for("vild_r18_shapes", **options)  # which has the metric already
    assert recall["numbers"] == numbers
    assert proposals_per_image(config) == kept


class OwnMetric(OVMetric):
    """A metric of a user's own."""


def test_the_metric_of_detections_may_be_of_ones_own_and_behind_others(monkeypatch):
    monkeypatch.setitem(METRICS.module_dict, "OwnMetric", OwnMetric)
    config = load_config("vild_r50_lvis")
    config.test_evaluator = [dict(type="Other"), dict(type="OwnMetric", ann_file="truth.json")]
    assert instance_evaluator(config).type == "OwnMetric"
    add_proposal_recall(config)
    assert [one["type"] for one in evaluators(config)] == ["Other", "OwnMetric", "ProposalRecall"]
    assert evaluators(config)[-1]["ann_file"] == "truth.json"
    config.test_evaluator = [dict(type="OVMetric"), dict(type="OwnMetric")]
    with pytest.raises(UserError, match="2 of type OVMetric"):
        instance_evaluator(config)


def test_a_one_stage_detector_has_no_proposals():
    config, recalls = config_for("hierkd_atss_r18_shapes")
    assert recalls == [] and proposals_per_image(config) is None
