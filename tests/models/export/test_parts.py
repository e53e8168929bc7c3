"""The parts of an exported detector do what mmdet's do."""

from __future__ import annotations

import pytest
import torch
from mmcv.ops import batched_nms
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder

from ovdistill import Detector
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.models.export.frozen_norm import freeze_norms
from ovdistill.models.export.pooling import PyramidPooling
from ovdistill.models.export.proposals import decode
from ovdistill.models.export.rows import Rows
from ovdistill.models.export.supported import check_exportable
from ovdistill.models.normalized_heads import RowBatchNorm


def boxes(count: int, side: float = 100.0) -> torch.Tensor:
    low = torch.rand(count, 2) * side
    return torch.cat([low, low + torch.rand(count, 2) * side / 2 + 1], dim=1)


def test_decoding():
    torch.manual_seed(0)
    coder = DeltaXYWHBBoxCoder(target_means=(0.1, 0, 0, 0.2), target_stds=(0.1, 0.1, 0.2, 0.2))
    own, deltas = boxes(50), torch.randn(50, 4) * 9
    torch.testing.assert_close(decode(coder, own, deltas), coder.decode(own, deltas))


@pytest.mark.parametrize(
    ("norm", "shape"), [(torch.nn.BatchNorm2d, (5, 3, 4, 4)), (RowBatchNorm, (5, 3))]
)
def test_frozen_normalisation(norm, shape):
    torch.manual_seed(0)
    heads = torch.nn.Sequential(torch.nn.Sequential(norm(3)), norm(3, affine=False))
    for _ in range(3):
        heads(torch.randn(shape) * 3 + 1)  # statistics
    torch.nn.init.normal_(heads[0][0].weight)
    expected = heads.eval()(torch.ones(shape))
    freeze_norms(heads)
    torch.testing.assert_close(heads(torch.ones(shape)), expected)
    assert not any(isinstance(module, norm) for module in heads.modules())


def test_pooling_of_levels():
    torch.manual_seed(0)
    layer = dict(type="RoIAlign", output_size=7, sampling_ratio=0)
    extractor = SingleRoIExtractor(layer, out_channels=4, featmap_strides=[4, 8], finest_scale=20)
    x = [torch.randn(2, 4, 32, 32), torch.randn(2, 4, 16, 16)]
    rois = torch.cat([torch.randint(2, (20, 1)).float(), boxes(20)], dim=1)
    pooled = PyramidPooling(extractor)
    torch.testing.assert_close(pooled(x, rois), extractor(x, rois), rtol=0, atol=0)
    assert pooled(x, rois[:0]).shape == (0, 4, 7, 7)


def test_suppression_within_image_and_group():
    torch.manual_seed(0)
    own, scores, group = boxes(200), torch.rand(200), torch.randint(3, (200,))
    image = torch.arange(200) // 100
    kept = Rows(own, image, torch.arange(2)).suppressed(scores, 0.5, group)
    assert scores[kept].diff().le(0).all()
    for index in range(2):
        rows = (image == index).nonzero()[:, 0]
        _, expected = batched_nms(own[rows], scores[rows], group[rows], dict(iou_threshold=0.5))
        assert kept[image[kept] == index].tolist() == rows[expected].tolist()


def test_suppression_does_not_depend_on_the_batch_whatever_the_number_of_names():
    torch.manual_seed(0)
    images, count, names = 8, 1200, 1203
    own = boxes(images * count // 2, side=30) + torch.rand(images * count // 2, 1) * 750
    own = torch.stack([own, own + torch.randn_like(own) * 3], dim=1).flatten(0, 1).clamp(0, 800)
    group = torch.randint(names, (images * count // 2,)).repeat_interleave(2)
    scores, image = torch.rand(len(own)), torch.arange(images).repeat_interleave(count)
    own[::count] = torch.tensor([0.0, 0, 800, 800])  # all images have the same size
    kept = Rows(own, image, torch.arange(images)).suppressed(scores, 0.5, group)
    for index in range(images):
        one = slice(index * count, (index + 1) * count)
        alone = Rows(own[one], torch.zeros(count, dtype=torch.long), torch.arange(1))
        expected = alone.suppressed(scores[one], 0.5, group[one]) + index * count
        assert kept[image[kept] == index].tolist() == expected.tolist()


def test_first_rows_of_each_image():
    rows = Rows(boxes(6), torch.tensor([0, 0, 0, 2, 2, 2]), torch.arange(3))
    order = torch.tensor([5, 0, 3, 1, 2, 4])
    assert rows.first(order, 2).tolist() == [5, 0, 3, 1]
    assert rows.by_image(order).tolist() == [0, 1, 2, 5, 3, 4]


def test_clipping_takes_height_first():
    rows = Rows(torch.zeros(1, 4), torch.tensor([0]), torch.arange(1))
    clipped = rows.clipped(torch.tensor([[-3.0, -3, 50, 50]]), torch.tensor([[20, 30]]))
    assert clipped.boxes.tolist() == [[0, 0, 30, 20]]


def test_the_graph_finds_what_the_detector_finds():
    from ovdistill.inference.onnx_export import texts_of
    from ovdistill.models.export.network import DetectorGraph

    detector = Detector.from_pretrained("ovshapes", device="cpu")
    image = read_image(SAMPLE_IMAGE)
    expected = detector.predict(image, "red striped heart, green star, ring", 0.0)
    engine = detector.engine
    graph = DetectorGraph(engine.model, 0.7, masks=True, grouped=engine.asked.has_phrases)
    with torch.inference_mode():
        found = graph(
            torch.from_numpy(image)[None].expand(2, -1, -1, -1),
            torch.tensor([[128, 128]] * 2),
            torch.tensor(0.0),
            texts_of(engine.asked),
        )
    first = found.image == 0
    assert len(expected) >= 5 and first.sum() == (~first).sum() == len(expected)
    assert found.labels[first].tolist() == expected.labels.tolist()
    torch.testing.assert_close(found.boxes[first], torch.from_numpy(expected.boxes))
    torch.testing.assert_close(found.embeddings[first], torch.from_numpy(expected.embeddings))
    scores = detector.calibration.probabilities(found.scores.numpy())
    torch.testing.assert_close(torch.from_numpy(scores[first]), torch.from_numpy(expected.scores))


def test_what_cannot_be_exported():
    with pytest.raises(UserError, match="Linear"):
        check_exportable(torch.nn.Linear(1, 1))
    detector = Detector.from_pretrained("ovshapes", device="cpu")
    detector.set_vocabulary("ring")
    model = detector.engine.model
    check_exportable(model)
    model.roi_head.test_cfg.nms.type = "soft_nms"
    with pytest.raises(UserError, match="soft"):
        check_exportable(model)
