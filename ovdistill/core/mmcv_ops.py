"""Serve mmcv's compiled operations by torchvision where mmcv was installed without them.

mmcv keeps its C++/CUDA operations in the module ``mmcv._ext``; every ``import mmdet`` needs it.
``install`` puts a module of that name in place when none can be imported. The operations that
ovdistill's models call run on torchvision's kernels, on whatever device their tensors are; every
other one exists by name, so that mmcv and mmdet import, and raises when it is called.

Argument names, their order and the out-arguments (a result is written into a tensor that the
caller made) are those of mmcv 2.x, ``mmcv/ops/csrc/pytorch/pybind.cpp``.

``roi_pool`` is left out on purpose: torchvision rounds its boxes to whole cells and mmcv does not,
so the two do not agree.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import warnings
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

import torch
import torchvision
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.roi_align_cpu import roi_align_gradient

NAME = "mmcv._ext"
# Without the cache: pip may have kept a wheel that was built without operations.
BUILD = "pip install --force-reinstall --no-deps --no-cache-dir --no-build-isolation onedl-mmcv"


def install() -> bool:
    """Make ``mmcv._ext`` importable; call this before mmdet or ``mmcv.ops`` is imported.

    A compiled ``mmcv._ext`` is left untouched. One that is there but does not load (built for
    another torch) is replaced, with a warning. Calling it again changes nothing.

    Returns:
        True if torchvision's operations serve mmcv, False if mmcv's own do.

    Raises:
        UserError: mmcv itself is missing or does not import.
    """
    try:
        mmcv: Any = importlib.import_module("mmcv")
    except (ImportError, OSError) as error:
        raise UserError(
            f"mmcv does not import ({error}); expected the packages onedl-mmengine, onedl-mmcv and "
            "onedl-mmdetection. To see what is wrong and how to fix it: ovdistill doctor"
        ) from error
    try:
        return isinstance(importlib.import_module(NAME), TorchvisionOps)
    except (ImportError, OSError) as error:
        if getattr(error, "name", None) != NAME or not isinstance(error, ModuleNotFoundError):
            warnings.warn(
                f"mmcv's compiled operations do not load ({error}), so torchvision's are used. "
                f"To use mmcv's, build it for this torch: {BUILD}",
                stacklevel=2,
            )
    sys.modules[NAME] = mmcv._ext = TorchvisionOps()
    return True


def import_datasets() -> ModuleType:
    """Import ``mmdet.datasets`` without its printed advice on packages for single data sets."""
    install()
    with contextlib.redirect_stdout(io.StringIO()):
        return importlib.import_module("mmdet.datasets")


class TorchvisionOps(ModuleType):
    """Module that takes the place of the compiled module ``mmcv._ext``."""

    def __init__(self) -> None:
        super().__init__(NAME, __doc__)
        # mmengine asks importlib whether mmcv._ext exists, and that needs a spec.
        self.__spec__ = ModuleSpec(NAME, loader=None, origin=__file__)
        for function in SERVED:
            setattr(self, function.__name__, function)

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        """Return a function for an operation that is not served; it raises when called."""
        if name.startswith("__"):
            raise AttributeError(name)

        def unserved(*args: object, **kwargs: object) -> NoReturn:
            raise NotImplementedError(
                f"mmcv's operation '{name}' is not served by torchvision (served: "
                f"{', '.join(sorted(f.__name__ for f in SERVED))}). Build mmcv with its own "
                f"operations: {BUILD}"
            )

        return unserved


def _full(x: Tensor) -> Tensor:
    """Return half precision as float32: torchvision's kernels lack it on some devices."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Return the boxes that non-maximum suppression keeps.

    Args:
        boxes: (n, 4) xyxy, pixels.
        scores: (n,).
        iou_threshold: a box that overlaps a better one by more is dropped.
        offset: 1 if x2 and y2 name the last pixel inside (width = x2 - x1 + 1), else 0.

    Returns:
        (kept,) int64 indices, best score first.
    """
    boxes = _full(boxes)
    if offset:
        boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
    return torchvision.ops.nms(boxes, _full(scores).to(boxes.dtype), iou_threshold)


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Lower the scores of overlapping boxes: Soft-NMS (Bodla et al. 2017, figure 2).

    Args:
        boxes: (n, 4) xyxy, pixels.
        scores: (n,).
        dets: (n, 5), out: rows x1, y1, x2, y2, lowered score, in the order of selection.
        iou_threshold: overlap from which 'naive' and 'linear' lower a score.
        sigma: width of 'gaussian'.
        min_score: a box whose score falls below it is dropped.
        method: 0 naive, 1 linear, 2 gaussian.
        offset: as in ``nms``.

    Returns:
        (kept,) int64 indices in the order of selection.
    """
    corners = boxes + boxes.new_tensor([0, 0, offset, offset])
    left, live_scores = torch.arange(len(boxes), device=boxes.device), scores.clone()
    kept: list[Tensor] = []
    while len(left):
        best = live_scores[left].argmax()
        index = left[best]
        dets[len(kept), :4], dets[len(kept), 4] = boxes[index], live_scores[index]
        kept.append(index)
        left = torch.cat((left[:best], left[best + 1 :]))
        overlap = torchvision.ops.box_iou(corners[index, None], corners[left])[0]
        if method == 2:
            weight = torch.exp(-(overlap**2) / sigma)
        else:
            lowered = 1 - overlap if method == 1 else torch.zeros_like(overlap)
            weight = torch.where(overlap >= iou_threshold, lowered, torch.ones_like(overlap))
        live_scores[left] *= weight
        left = left[live_scores[left] >= min_score]
    return torch.stack(kept) if kept else left


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,  # noqa: FBT001 - mmcv's signature
) -> None:
    """Pool features of boxes: RoIAlign with average pooling (He et al. 2017, section 3).

    Args:
        input: (N, C, H, W) feature map.
        rois: (R, 5) image index and box xyxy, pixels of the input image.
        output: (R, C, aligned_height, aligned_width), out.
        argmax_y: unused; mmcv fills it for maximum pooling.
        argmax_x: likewise.
        aligned_height: rows of the output.
        aligned_width: columns of the output.
        spatial_scale: cells of the feature map per pixel of the image.
        sampling_ratio: samples per output cell and axis; 0 adapts to the size of the box.
        pool_mode: 0 maximum (raises NotImplementedError), 1 average.
        aligned: True shifts by half a cell, so that pixel centres match.
    """
    _need_average(pool_mode)
    output.copy_(
        torch.ops.torchvision.roi_align(
            _full(input),
            _full(rois),
            spatial_scale,
            aligned_height,
            aligned_width,
            sampling_ratio,
            aligned,
        )
    )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,  # noqa: FBT001 - mmcv's signature
) -> None:
    """Write the gradient of ``roi_align_forward`` into ``grad_input`` (N, C, H, W)."""
    _need_average(pool_mode)
    grad_output, rois = _full(grad_output), _full(rois)
    images, channels, height, width = grad_input.shape
    if grad_output.device.type == "cpu" and sampling_ratio > 0:
        shape = (images, channels, height, width)
        gradient = roi_align_gradient(
            grad_output, rois, shape, spatial_scale, sampling_ratio, aligned=aligned
        )
    else:
        gradient = torch.ops.torchvision._roi_align_backward(
            grad_output,
            rois,
            spatial_scale,
            aligned_height,
            aligned_width,
            *(images, channels, height, width),
            sampling_ratio,
            aligned,
        )
    grad_input.copy_(gradient)


def _need_average(pool_mode: int) -> None:
    if pool_mode != 1:
        raise NotImplementedError(
            "RoIAlign with pool_mode='max' is not served by torchvision; expected 'avg'"
        )


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Write the sigmoid focal loss of each row and class (Lin et al. 2017, equation 5).

    Args:
        input: (n, C) logits.
        target: (n,) int64 class; C is background.
        weight: (C,) factor by the target's class, or empty for none.
        output: (n, C), out.
        gamma: focusing exponent.
        alpha: weight of the positive term; 1 - alpha weighs the negative ones.
    """
    loss = torchvision.ops.sigmoid_focal_loss(
        _full(input), _one_hot(input, target), alpha, gamma, reduction="none"
    )
    output.copy_(_weighted(loss, target, weight))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Write the gradient of ``sigmoid_focal_loss_forward``'s sum into ``grad_input`` (n, C)."""
    with torch.enable_grad():
        logits = _full(input).detach().requires_grad_()
        loss = torchvision.ops.sigmoid_focal_loss(
            logits, _one_hot(input, target), alpha, gamma, reduction="sum"
        )
    grad_input.copy_(_weighted(torch.autograd.grad(loss, logits)[0], target, weight))


def _one_hot(input: Tensor, target: Tensor) -> Tensor:
    """Return (n, C) with 1 at the target class; the row of a background target is all 0."""
    classes = torch.arange(input.shape[1], device=input.device)
    return (target[:, None] == classes).to(_full(input).dtype)


def _weighted(x: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    return x * _full(weight)[target, None] if weight.numel() else x


def get_compiler_version() -> str:
    """Return what mmcv's environment report prints as its compiler."""
    return "none (torchvision serves mmcv's operations)"


def get_compiling_cuda_version() -> str:
    """Return what mmcv's environment report prints as its CUDA compiler."""
    return get_compiler_version()


SERVED: tuple[Callable[..., object], ...] = (
    nms,
    softnms,
    roi_align_forward,
    roi_align_backward,
    sigmoid_focal_loss_forward,
    sigmoid_focal_loss_backward,
    get_compiler_version,
    get_compiling_cuda_version,
)
