"""The stand-in for mmcv's compiled operations, called through mmcv's own functions."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torchvision.ops
from torch import Tensor

from ovdistill.core import mmcv_ops
from ovdistill.core.errors import UserError

mmcv_ops.install()

import mmcv.ops  # noqa: E402

pytestmark = pytest.mark.skipif(
    not isinstance(sys.modules["mmcv._ext"], mmcv_ops.TorchvisionOps),
    reason="this environment has a compiled mmcv, which is used untouched",
)

# IoU of boxes 0 and 1: 80 / (100 + 100 - 80) = 2/3; of 0 and 2: 50 / 150 = 1/3; 1 and 2: 7/13.
BOXES = torch.tensor(
    [[0.0, 0, 10, 10], [0, 2, 10, 12], [0, 5, 10, 15], [50, 50, 60, 60]], dtype=torch.float32
)
SCORES = torch.tensor([0.9, 0.8, 0.7, 0.6])


def random_boxes(n: int, size: float = 60.0) -> Tensor:
    corner = torch.rand(n, 2) * size / 2
    return torch.cat((corner, corner + 1 + torch.rand(n, 2) * size / 2), dim=1)


def random_rois(n: int, images: int, dtype: torch.dtype = torch.float32) -> Tensor:
    index = torch.randint(images, (n, 1))
    return torch.cat((index, random_boxes(n)), dim=1).to(dtype)


@pytest.mark.parametrize(
    ("threshold", "kept"), [(0.7, [0, 1, 2, 3]), (0.6, [0, 2, 3]), (0.5, [0, 2, 3]), (0.3, [0, 3])]
)
def test_nms_by_hand(threshold: float, kept: list[int]) -> None:
    dets, indices = mmcv.ops.nms(BOXES, SCORES, threshold)
    assert indices.tolist() == kept
    assert torch.equal(dets, torch.cat((BOXES, SCORES[:, None]), dim=1)[kept])


def test_nms_offset_counts_the_last_pixel() -> None:
    # 0..9 and 5..9 wide: IoU 4/9 by corners, 5/10 when x2 is the last pixel inside.
    boxes, scores = torch.tensor([[0.0, 0, 9, 0.5], [5, 0, 9, 0.5]]), torch.tensor([0.9, 0.8])
    assert mmcv.ops.nms(boxes, scores, 0.47, offset=0)[1].tolist() == [0, 1]
    assert mmcv.ops.nms(boxes, scores, 0.47, offset=1)[1].tolist() == [0]


def test_nms_equals_torchvision() -> None:
    boxes, scores = random_boxes(300), torch.rand(300)
    assert torch.equal(mmcv.ops.nms(boxes, scores, 0.5)[1], torchvision.ops.nms(boxes, scores, 0.5))
    classes = torch.randint(5, (300,))
    dets, kept = mmcv.ops.batched_nms(boxes, scores, classes, {"type": "nms", "iou_threshold": 0.5})
    assert torch.equal(kept, torchvision.ops.batched_nms(boxes, scores, classes, 0.5))
    assert torch.equal(dets, torch.cat((boxes, scores[:, None]), dim=1)[kept])


def test_nms_of_no_boxes_and_of_half_precision() -> None:
    assert mmcv.ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5)[1].shape == (0,)
    kept = mmcv.ops.nms(BOXES.half(), SCORES.half(), 0.5)[1]
    assert kept.tolist() == [0, 2, 3]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # Box 1 loses to box 0 (IoU 2/3), and box 2 to boxes 0 (1/3) and 1 (7/13).
        ("naive", [(0, 0.9), (2, 0.7), (3, 0.6)]),
        ("linear", [(0, 0.9), (2, 0.7), (3, 0.6), (1, 0.8 * (1 / 3) * (6 / 13))]),
    ],
)
def test_soft_nms_by_hand(method: str, expected: list[tuple[int, float]]) -> None:
    dets, kept = mmcv.ops.soft_nms(BOXES, SCORES, iou_threshold=0.5, method=method)
    assert kept.tolist() == [index for index, _ in expected]
    torch.testing.assert_close(dets[:, 4], torch.tensor([score for _, score in expected]))
    assert torch.equal(dets[:, :4], BOXES[kept])


def test_soft_nms_gaussian_drops_low_scores() -> None:
    dets, kept = mmcv.ops.soft_nms(BOXES[:2], SCORES[:2], method="gaussian", sigma=0.5)
    lowered = 0.8 * torch.exp(torch.tensor(-((2 / 3) ** 2) / 0.5))  # 0.329
    torch.testing.assert_close(dets[:, 4], torch.stack((torch.tensor(0.9), lowered)))
    kept = mmcv.ops.soft_nms(BOXES[:2], SCORES[:2], method="gaussian", min_score=0.4)[1]
    assert kept.tolist() == [0]


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 1, 2])
def test_roi_align_equals_torchvision(aligned: bool, sampling_ratio: int) -> None:
    theirs = torch.randn(2, 3, 16, 20, requires_grad=True)
    ours = theirs.detach().clone().requires_grad_()
    # over the edges of the map, outside of it, and without area
    odd = torch.tensor([[0.0, -20, -9, 30, 90], [1, 200, 9, 290, 30], [1, 7, 7, 7, 7]])
    rois = torch.cat([random_rois(7, images=2), odd])
    layer = mmcv.ops.RoIAlign((5, 4), 0.25, sampling_ratio, aligned=aligned)
    got = layer(ours, rois)
    expected = torchvision.ops.roi_align(theirs, rois, (5, 4), 0.25, sampling_ratio, aligned)
    assert torch.equal(got, expected)
    weight = torch.randn_like(got)
    (got * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_roi_align_of_a_plane_gives_its_centre() -> None:
    # The value of cell (x, y) is x, and aligned pixel centres lie at x + 0.5: box 2..6 is 4 wide,
    # its centre is at pixel 4, which is cell 3.5.
    plane = torch.arange(8.0).expand(1, 1, 8, 8).contiguous()
    rois = torch.tensor([[0.0, 2, 2, 6, 6]])
    assert mmcv.ops.roi_align(plane, rois, 1, 1.0, 2, "avg", True).item() == 3.5


def test_roi_align_gradient() -> None:
    features = torch.randn(2, 2, 6, 7, dtype=torch.float64, requires_grad=True)
    rois = random_rois(3, images=2, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: mmcv.ops.roi_align(x, rois, 2, 0.1, 2, "avg", True), (features,)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_roi_align_in_half_precision(dtype: torch.dtype) -> None:
    features = torch.randn(1, 2, 16, 16).to(dtype).requires_grad_()
    rois = random_rois(4, images=1, dtype=dtype)
    got = mmcv.ops.roi_align(features, rois, 3, 0.25, 0, "avg", True)
    full = torchvision.ops.roi_align(features.float(), rois.float(), 3, 0.25, 0, True)
    assert got.dtype == dtype and torch.equal(got, full.to(dtype))
    got.sum().backward()
    assert features.grad.dtype == dtype and features.grad.isfinite().all()


def test_roi_align_without_boxes() -> None:
    features = torch.randn(1, 2, 4, 4, requires_grad=True)
    got = mmcv.ops.roi_align(features, torch.zeros(0, 5), 3, 1.0, 0, "avg", True)
    assert got.shape == (0, 2, 3, 3)
    got.sum().backward()
    assert not features.grad.any()


def test_maximum_roi_align_raises() -> None:
    with pytest.raises(NotImplementedError, match="pool_mode='max'"):
        mmcv.ops.roi_align(torch.zeros(1, 1, 4, 4), torch.zeros(1, 5), 2, 1.0, 0, "max", True)


def test_focal_loss_by_hand() -> None:
    # sigmoid(0) = 1/2: a positive costs 0.25 * 0.5**2 * ln 2, a negative 0.75 * 0.5**2 * ln 2.
    logits, log2 = torch.zeros(2, 2), torch.log(torch.tensor(2.0))
    target = torch.tensor([1, 2])  # 2 = background
    loss = mmcv.ops.sigmoid_focal_loss(logits, target, 2.0, 0.25, None, "none")
    expected = torch.tensor([[0.1875, 0.0625], [0.1875, 0.1875]]) * log2
    torch.testing.assert_close(loss, expected)
    weighted = mmcv.ops.sigmoid_focal_loss(
        logits[:1], target[:1], 2.0, 0.25, torch.tensor([1.0, 3.0]), "none"
    )
    torch.testing.assert_close(weighted, 3 * expected[:1])


def test_focal_loss_gradient() -> None:
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    target, weight = torch.tensor([0, 1, 2, 2]), torch.tensor([1.0, 2.0, 0.5]).double()
    for weights in (None, weight):
        assert torch.autograd.gradcheck(
            lambda x, w=weights: mmcv.ops.sigmoid_focal_loss(x, target, 2.0, 0.25, w, "sum"),
            (logits,),
        )


def test_unserved_operation_raises_when_called() -> None:
    with pytest.raises(NotImplementedError, match=r"'roi_pool_forward' is not served.*\n?.*pip"):
        mmcv.ops.roi_pool(torch.zeros(1, 1, 4, 4), torch.zeros(1, 5), 2)


def test_mmengine_finds_the_module() -> None:
    from mmengine.utils.dl_utils import mmcv_full_available

    assert mmcv_full_available()
    assert importlib.util.find_spec("mmcv._ext") is not None
    assert "torchvision" in mmcv.ops.get_compiler_version()
    assert mmcv_ops.install() is True  # again: nothing changes
    assert mmcv.ops.nms.__module__ == "mmcv.ops.nms"


def test_mmdet_extracts_regions() -> None:
    from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor

    extractor = SingleRoIExtractor(
        {"type": "RoIAlign", "output_size": 7, "sampling_ratio": 0}, 3, [4, 8], finest_scale=14
    )
    maps = (torch.randn(1, 3, 16, 16), torch.randn(1, 3, 8, 8))
    rois = torch.tensor([[0.0, 4, 4, 14, 14], [0, 2, 2, 60, 60]])  # one for each level
    got = extractor(maps, rois)
    for i, scale in enumerate((1 / 4, 1 / 8)):
        expected = torchvision.ops.roi_align(maps[i], rois[i : i + 1], 7, scale, 0, True)
        assert torch.equal(got[i : i + 1], expected)


RUN = """
import sys, warnings
import mmcv
mmcv.__path__.append(sys.argv[1])
from ovdistill.core import mmcv_ops
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(mmcv_ops.install(), type(sys.modules["mmcv._ext"]).__name__, end=" ")
print([str(w.message) for w in caught if "operations" in str(w.message)])
"""


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("def nms(): ...", "False module []"),
        ("raise ImportError('undefined symbol: torch')", "True TorchvisionOps [\"mmcv's compiled"),
    ],
    ids=["compiled", "broken"],
)
def test_an_mmcv_with_its_own_operations(tmp_path: Path, source: str, printed: str) -> None:
    (tmp_path / "_ext.py").write_text(source)
    run = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert run.stdout.startswith(printed), run.stdout + run.stderr


def test_missing_mmcv(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, package: str | None = None) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UserError, match=r"No module named 'mmcv'.*ovdistill doctor"):
        mmcv_ops.install()
