"""Writes a detector as an ONNX file that `OnnxDetector` runs without torch.

Shapes: N images, H x W pixels, W class names, D embedding width.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra
from ovdistill.core.files import write_bytes
from ovdistill.core.provenance import provenance
from ovdistill.inference.asked import Asked
from ovdistill.inference.detector import Detector
from ovdistill.inference.limits import Limits
from ovdistill.inference.onnx_header import INPUTS, OUTPUTS, TEXT_INPUTS, OnnxHeader
from ovdistill.models.export.network import DetectorGraph
from ovdistill.models.export.supported import check_exportable
from ovdistill.models.export.texts import Texts
from ovdistill.models.image_pipeline import ResizeAndPack, build_image_pipeline
from ovdistill.vocabulary import Vocabulary

LEAST_OPSET = 18  # the first with all operations
LARGEST = 2**31 - 1  # bytes of an ONNX file
SOME_NAMES = 5  # of the example that is traced


def export_onnx(
    detector: Detector,
    path: str | Path,
    *,
    texts_as_input: bool = False,
    masks: bool = True,
    opset: int = LEAST_OPSET,
    origin: Mapping[str, Any] | None = None,
) -> OnnxHeader:
    """Write a detector with the class names that it looks for now.

    Args:
        detector: with a text or vocabulary set.
        path: the file, which is complete in itself.
        texts_as_input: the text embeddings are inputs of the graph, with these as defaults, so
            that other names can be set later.
        masks: with masks, if the detector has them.
        opset: version of ONNX's operations.
        origin: more for the provenance.

    Returns:
        What the file says of itself.

    Raises:
        UserError: nothing to look for, a detector that cannot be exported, a missing extra, or a
            file of over 2 GB.
    """
    for package in ("onnx", "onnxscript"):
        import_extra(package, "export")
    model, asked = detector.engine.model, detector.engine.asked
    check_exportable(model)
    header = _header(detector, masks=masks, texts_as_input=texts_as_input, origin=origin or {})
    grouped = asked.has_phrases or texts_as_input
    graph = DetectorGraph(model, Limits().same_object, masks=masks, grouped=grouped).eval()
    texts = texts_of(asked)
    written = _trace(graph, _some_texts(header.embed_dim), header.divisor, opset)
    _finish(written, texts, header)
    if written.ByteSize() > LARGEST:
        raise UserError(f"the detector has {written.ByteSize():,} bytes; an ONNX file holds 2 GB")
    write_bytes(path, written.SerializeToString())
    return header


def _header(
    detector: Detector, *, masks: bool, texts_as_input: bool, origin: Mapping[str, Any]
) -> OnnxHeader:
    engine = detector.engine
    asked, head = engine.asked, engine.model.roi_head
    pipeline = build_image_pipeline(detector.config)
    if not isinstance(pipeline, ResizeAndPack):
        raise UserError("the test pipeline does more than resize images, which cannot be exported")
    steps = engine.model.data_preprocessor
    with_masks = masks and head.with_mask
    made_by = {
        "normalization": _normalization(steps),
        **asked.vocabulary.teacher.to_header(),
        **origin,
    }
    return OnnxHeader(
        names=asked.names,
        wanted=asked.wanted,
        phrases=asked.vocabulary.names,
        embed_dim=asked.vocabulary.embed_dim,
        teacher=asked.vocabulary.teacher,
        texts_as_input=texts_as_input,
        scale=pipeline.scale,
        keep_ratio=pipeline.keep_ratio,
        divisor=steps.pad_size_divisor,
        least_score=float(head.test_cfg.score_thr),
        mask_threshold=float(head.test_cfg.mask_thr_binary) if with_masks else None,
        calibration=engine.calibration,
        vocabulary_hash=_hash(asked.vocabulary),
        provenance=provenance(**made_by),
    )


def _normalization(steps: Any) -> dict[str, Any] | None:
    """Return what the graph does to pixels, RGB or BGR as the network takes them."""
    if not steps._enable_normalize:
        return None
    mean, std = (value.flatten().tolist() for value in (steps.mean, steps.std))
    return {"mean": mean, "std": std, "channels": "RGB" if steps._channel_conversion else "BGR"}


def _hash(vocabulary: Vocabulary) -> str:
    digest = hashlib.sha256("\n".join(vocabulary.names).encode())
    digest.update(vocabulary.embeddings.numpy().tobytes())
    return digest.hexdigest()[:16]


def texts_of(asked: Asked) -> Texts:
    """Return what a detector is asked for as tensors."""
    vocabulary = asked.vocabulary
    classes, wanted = torch.tensor(asked.classes), torch.tensor(asked.wanted)
    return Texts(vocabulary.embeddings, vocabulary.is_base, classes, wanted)


def _some_texts(embed_dim: int) -> Texts:
    rows = torch.nn.functional.normalize(torch.ones(SOME_NAMES, embed_dim), dim=1)
    all_base = torch.ones(SOME_NAMES, dtype=torch.bool)
    return Texts(rows, all_base, torch.arange(SOME_NAMES), torch.tensor(SOME_NAMES))


def _trace(graph: DetectorGraph, texts: Texts, divisor: int, opset: int) -> Any:
    """Return the graph as an ONNX model for any number of images of any size."""
    dim = torch.export.Dim
    images = dim("images", min=1)
    names = {0: dim("names", min=1)}
    shapes = {
        "images": {0: images, 1: divisor * dim("rows", min=1), 2: divisor * dim("columns", min=1)},
        "sizes": {0: images},
        "score_threshold": None,
        "texts": Texts(names, names, names, None),  # type: ignore[arg-type]  # its form, of sizes
    }
    pixels = torch.zeros(2, 6 * divisor, 8 * divisor, 3, dtype=torch.uint8)
    sizes = torch.tensor([[6 * divisor, 8 * divisor], [5 * divisor, 7 * divisor]])
    example: tuple[Tensor | Texts, ...] = (pixels, sizes, torch.tensor(0.3), texts)
    with torch.no_grad(), _without_warnings():
        program = torch.export.export(graph, example, dynamic_shapes=shapes, strict=False)
        written = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=opset,
            input_names=[*INPUTS, *TEXT_INPUTS],
            output_names=list(OUTPUTS),
            verbose=False,
        )
    assert written is not None  # it is where a file is named
    return written.model_proto


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Leave out what torch and its exporter say about parts of their own."""
    logger = logging.getLogger("onnx_ir")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _finish(model: Any, texts: Texts, header: OnnxHeader) -> None:
    """Put class names and header into a model, and take out what only debugging needs."""
    from onnx import helper, numpy_helper

    graph = model.graph
    for node in graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    del graph.value_info[:]
    used = {name for node in graph.node for name in node.input}
    arrays = dict(zip(TEXT_INPUTS, (part.numpy() for part in texts), strict=True))
    graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in arrays.items() if name in used
    )
    fixed = set(TEXT_INPUTS) - (used if header.texts_as_input else set())
    inputs = [value for value in graph.input if value.name not in fixed]
    del graph.input[:]
    graph.input.extend(inputs)
    model.producer_name = "ovdistill"
    helper.set_model_props(model, header.to_metadata())
