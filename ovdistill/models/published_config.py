"""The config of a published detector: JSON, which is data and never code.

A Python config is run by whoever reads it, so a detector that goes to strangers has its config as
JSON. mmengine builds a component of any name that Python can import (``"type": "subprocess.Popen"``
would start a program), so only the components and keys below are accepted; a detector with others
needs the code of these anyway, and its config is Python. Tuples, which JSON does not have, are
written as ``{"tuple": [...]}``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError

KEYS = ("about", "default_scope", "model", "test_pipeline", "teacher", "prepare", "dense_scale")
VOCABULARY_KEYS = ("templates", "tokens")
# the components of which the detectors and segmentors of shipped recipes, and of configs that
# init-dataset has written on them, consist
COMPONENTS = frozenset(
    """
    ATSSAssigner AnchorGenerator BBoxHead BN BoxQualityHead ConvFCBBoxHead CrossEntropyLoss
    DeltaXYWHBBoxCoder DenseRegionWordLoss DetDataPreprocessor FCNMaskHead FPN
    FocalRegionWordLoss GIoULoss GN IgnoringATSSAssigner IgnoringMaxIoUAssigner L1Loss LoadImage
    LoadLabelMap MaskBoxRoIHead MaskWordSegmentor MaxIoUAssigner NormBoxHead NormMaskHead
    NormRPNHead OVResize OpenVocabularyATSS OpenVocabularyATSSHead OpenVocabularyRCNN
    OpenVocabularyRoIHead OpenVocabularySegmentor PackOVInputs PackSegmentationInputs
    PixelWordHead Pretrained RPNHead RandomSampler RegionTokenHead RegionTokenLoss
    RegionWordHead RegionWordLoss ResLayer ResNet Resize RoIAlign Shared2FCBBoxHead
    SigmoidRegionWordLoss SingleRoIExtractor SmoothL1Loss SyncBN TimmBackbone WeightTransferHead
    deconv nms soft_nms
    """.split()
)
TEACHERS = ("OpenCLIPTeacher",)
MOST_BYTES = 4_000_000
MOST_LEVELS = 40


def read_published(path: Path) -> dict[str, Any]:
    """Return the content of a published detector's config.

    Raises:
        UserError: the file cannot be read, is no JSON object, or has anything beside the keys and
            components of a published detector.
    """
    content = _decoded(_parse(path), str(path))
    if reason := reason_against(content):
        raise UserError(
            f"{path} is no config of a published detector: {reason}. A detector with parts of "
            "your own needs their code: write its config as Python (docs/security.md)."
        )
    return content


def reason_against(content: Any) -> str | None:
    """Return why a value cannot be a published detector's config, or None if it can."""
    if not isinstance(content, Mapping):
        return f"got {type(content).__name__}, expected an object"
    if unknown := [key for key in content if key not in KEYS]:
        return f"got the key {unknown[0]!r}, expected some of: {', '.join(KEYS)}"
    for key, kind in (("model", Mapping), ("teacher", Mapping), ("test_pipeline", (list, tuple))):
        if not isinstance(content.get(key), kind):
            return f"got {type(content.get(key)).__name__} under {key!r}"
    if content.get("default_scope", "mmdet") != "mmdet":
        return f"got the default_scope {content['default_scope']!r}, expected 'mmdet'"
    scale = content.get("dense_scale", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 < scale <= 16:
        return f"got the dense_scale {scale!r}, expected a number above 0"
    return (
        _reason_against_prepare(content.get("prepare", {}))
        or _reason_against_parts(content["model"], COMPONENTS)
        or _reason_against_parts(content["test_pipeline"], COMPONENTS)
        or _reason_against_parts(content["teacher"], TEACHERS)
    )


def encoded(value: Any) -> Any:
    """Return a value as JSON has it, with tuples marked.

    Raises:
        UserError: a value that JSON cannot hold, such as a class, NaN or infinity.
    """
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: encoded(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return {"tuple": [encoded(item) for item in value]}
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise UserError(f"got {value!r} in the config; JSON holds plain finite values only")


def _reason_against_prepare(prepare: Any) -> str | None:
    if not isinstance(prepare, Mapping) or set(prepare) - {"vocabulary"}:
        return "expected nothing but 'vocabulary' under 'prepare'"
    step = prepare.get("vocabulary", {})
    if not isinstance(step, Mapping) or set(step) - {*VOCABULARY_KEYS}:
        return f"expected only {' and '.join(VOCABULARY_KEYS)} under 'prepare.vocabulary'"
    return None


def _reason_against_parts(value: Any, allowed: frozenset[str] | tuple[str, ...]) -> str | None:
    """Return why some component in a tree of values is not accepted, or None."""
    if isinstance(value, Mapping):
        for key in value:
            if key.startswith("_"):
                return f"got the key {key!r}, which mmengine takes for an order"
        kind = value.get("type", "")
        if "type" in value and not (isinstance(kind, str) and kind in allowed):
            return f"got the component {kind!r}, which shipped recipes do not have"
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            if reason := _reason_against_parts(item, allowed):
                return reason
    return None


def _parse(path: Path) -> Any:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path} has more than {MOST_BYTES} bytes; expected a config")
        text = path.read_bytes().decode("utf-8-sig")
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply for a config") from None
    except ValueError as error:  # no UTF-8, no JSON, a number of 5000 digits
        raise UserError(f"{path} is not JSON ({error})") from None


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("an object has the same key twice")
    return content


def _decoded(value: Any, where: str, level: int = 0) -> Any:
    """Return a value of JSON with its marked tuples."""
    if level > MOST_LEVELS:
        raise UserError(f"{where} is nested too deeply for a config")
    if isinstance(value, dict):
        if set(value) == {"tuple"} and isinstance(value["tuple"], list):
            return tuple(_decoded(value["tuple"], where, level + 1))
        return {key: _decoded(item, where, level + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item, where, level + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where} has a number that is too large for a float")
    return value
