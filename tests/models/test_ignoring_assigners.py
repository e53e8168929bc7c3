"""Crowds and objects without a mask are no background, and take no object with them."""

from itertools import product

import pytest
import torch
from mmdet.registry import MODELS, TASK_UTILS
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from ovdistill.commands.init_dataset.model import ignoring_changes, merged

from ..batches import batch, load_config, losses_of, make_vocabulary, without_gradient

CROWD = [0.0, 0, 60, 60]
# on a labelled object in the crowd, in the crowd, on its edge, and far from all
PRIORS = [[10.0, 10, 30, 30], [30, 30, 50, 50], [50, 10, 75, 30], [90, 90, 120, 120]]


def assign(kind: str, objects: list[list[float]], ignored: list[list[float]], share: float):
    options: dict[str, object] = dict(topk=3)
    if "IoU" in kind:
        options = dict(pos_iou_thr=0.5, neg_iou_thr=0.5, match_low_quality=False)
    assigner = TASK_UTILS.build(dict(type=kind, ignore_iof_thr=share, **options))
    found, crowds = torch.tensor(objects).view(-1, 4), torch.tensor(ignored).view(-1, 4)
    priors = InstanceData(priors=torch.tensor(PRIORS))
    labelled = InstanceData(bboxes=found, labels=torch.zeros(len(found), dtype=torch.long))
    levels = () if "IoU" in kind else ([len(PRIORS)],)
    return assigner.assign(priors, *levels, labelled, InstanceData(bboxes=crowds)).gt_inds.tolist()


@pytest.mark.parametrize("kind", ["IgnoringMaxIoUAssigner", "IgnoringATSSAssigner"])
def test_negatives_in_ignored_objects_are_left_out(kind):
    objects = PRIORS[:1]
    assert assign(kind, objects, [CROWD], 0.5) == [1, -1, 0, 0]
    assert assign(kind, objects, [CROWD], 0.3) == [1, -1, -1, 0]
    assert assign(kind, objects, [CROWD], -1) == assign(kind, objects, [], 0.5) == [1, 0, 0, 0]
    # an image without a labelled object
    assert assign(kind, [], [CROWD], 0.5) == [-1, -1, 0, 0]
    # something is left to learn from
    assert assign(kind, [], [[0.0, 0, 999, 999]], 0.5) == [0, 0, 0, 0]
    assert assign(kind, objects, [[0.0, 0, 999, 999]], 0.5) == [1, -1, -1, -1]


def test_what_mmdet_does():
    """The reason for assigners of our own."""
    assert assign("MaxIoUAssigner", PRIORS[:1], [CROWD], 0.5) == [-1, -1, 0, 0]
    assert assign("MaxIoUAssigner", [], [CROWD], 0.5) == [0, 0, 0, 0]


@pytest.mark.parametrize("recipe", ["vild", "vild_ensemble", "hierkd_atss", "focal"])
def test_detectors_learn_beside_ignored_objects(recipe):
    options = load_config(f"{recipe}_r18_shapes").model
    options = merged(options, ignoring_changes(options), dict(vocabulary=make_vocabulary(5)))
    model = MODELS.build(ConfigDict(options))
    for boxes, ignored in product([(2, 1), (1, 0), (0, 0)], [[0.0, 0, 32, 64], [0.0, 0, 64, 64]]):
        data = batch(regions=(2, 2), boxes=boxes)
        for sample in data["data_samples"]:
            sample.ignored_instances = InstanceData(bboxes=torch.tensor([ignored]))
        model.zero_grad()
        loss, log = losses_of(model, data)
        loss.backward()
        assert loss.isfinite() and "loss_cls" in log
        assert not sum(boxes) or without_gradient(model) == []
