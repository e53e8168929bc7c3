"""Small ONNX files with the interface of an exported detector, and fixed results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.onnx_header import OUTPUTS, OnnxHeader

HEADER = OnnxHeader(
    names=("ring", "star", "cross"),
    wanted=2,
    phrases=("ring", "star", "cross"),
    embed_dim=4,
    teacher=TeacherId("teacher", "1234"),
    texts_as_input=False,
    scale=(64, 32),
    keep_ratio=True,
    divisor=16,
    least_score=0.001,
    mask_threshold=0.5,
    calibration=None,
    vocabulary_hash="",
)
# two detections in the first image, none in the second; boxes in pixels of the network input
RESULTS: dict[str, Any] = {
    "image": np.array([0, 0], dtype=np.int64),
    "boxes": np.array([[4, 2, 20, 18], [30, 5, 40, 20]], dtype=np.float32),
    "scores": np.array([0.9, 0.4], dtype=np.float32),
    "labels": np.array([1, 0], dtype=np.int64),
    "runner_up": np.array([2, -1], dtype=np.int64),
    "runner_up_scores": np.array([0.05, 0], dtype=np.float32),
    "embeddings": np.eye(4, dtype=np.float32)[:2],
    "nearest": np.array([1, 0], dtype=np.int64),
    "nearest_scores": np.array([0.9, 0.2], dtype=np.float32),
    "masks": np.ones((2, 28, 28), dtype=np.float32),
}


def write_onnx(path: Path, metadata: dict[str, str] | None = None, **results: np.ndarray) -> Path:
    """Write a file that returns ``RESULTS``, or others, for any images.

    Args:
        path: the file.
        metadata: of the file; by default that of ``HEADER``.
        results: in place of those of ``RESULTS``.
    """
    inputs = [
        helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3]),
        helper.make_tensor_value_info("sizes", TensorProto.INT64, ["n", 2]),
        helper.make_tensor_value_info("score_threshold", TensorProto.FLOAT, []),
    ]
    arrays = RESULTS | results
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(arrays[name]))
        for name in OUTPUTS
    ]
    outputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(arrays[name].dtype), arrays[name].shape
        )
        for name in OUTPUTS
    ]
    graph = helper.make_graph(nodes, "fixed", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, HEADER.to_metadata() if metadata is None else metadata)
    save(model, path)
    return path
