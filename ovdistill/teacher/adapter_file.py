"""Write and read an adapter as one safetensors file, which holds tensors and texts and no code."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ovdistill.core.checksums import verify_tensors
from ovdistill.core.errors import UserError
from ovdistill.core.header_values import OBJECT, expect
from ovdistill.core.json_files import loads
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.teacher.adapter import ADAPTERS, NamedAdapter, TeacherAdapter

FORMAT = "ovdistill-teacher-adapter-1"
MAKE = "ovdistill teacher adapt METHOD --config CONFIG -o ADAPTER.safetensors"


def write_adapter(path: str | os.PathLike[str], named: NamedAdapter) -> None:
    """Write an adapter, complete or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    adapter = named.adapter
    texts = {
        "format": FORMAT,
        "kind": adapter.kind,
        "name": named.name,
        "settings": json.dumps(adapter.settings),
        **named.teacher.to_header(),
    }
    if adapter.temperature is not None:
        texts["temperature"] = repr(adapter.temperature)
    tensors = {name: value.cpu().contiguous() for name, value in adapter.state_dict().items()}
    write_tensor_file(path, tensors, texts)


def read_adapter(path: str | os.PathLike[str]) -> NamedAdapter:
    """Read an adapter, on the CPU and without gradients.

    Raises:
        UserError: no such file, not an adapter, of an unknown kind, or damaged.
    """
    if not Path(path).is_file():
        raise UserError(
            f"no adapter {os.fspath(path)!r}; expected a file. Learn one with:\n  {MAKE}"
        )
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            if texts.get("format") != FORMAT:
                raise UserError(f"{path} is no adapter of a teacher; learn one with:\n  {MAKE}")
            if texts["kind"] not in ADAPTERS:
                raise UserError(
                    f"{path} is an adapter of kind {texts['kind']!r:.60}; expected one of: "
                    f"{', '.join(ADAPTERS)}. A newer version of ovdistill may know it"
                )
            verify_tensors(path)
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        settings = loads(texts["settings"], f"the header of {path}")
        adapter = _build(
            texts["kind"], expect(dict(settings=settings), "settings", OBJECT), tensors
        )
        adapter.temperature = _temperature(texts)
        return NamedAdapter(texts["name"], TeacherId.from_header(texts), adapter)
    except (
        *(SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError),
        ArithmeticError,
    ) as error:
        raise UserError(
            f"adapter {os.fspath(path)!r} is damaged ({error}). Learn it again with:\n  {MAKE}"
        ) from error


def _build(kind: str, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TeacherAdapter:
    """Return the adapter with the tensors of a file as its values.

    Raises:
        ValueError: a tensor is of a wrong type, not finite, or see ``check_values``.
        RuntimeError: a tensor is missing, too much, or of a wrong shape.
        TypeError: settings that the kind does not take; it may raise the other two as well.
    """
    with torch.device("meta"):  # sizes that a damaged file states take no memory
        adapter = ADAPTERS[kind](**settings)
    for name, own in adapter.state_dict().items():
        value = tensors.get(name)
        if value is not None and value.dtype != own.dtype:
            raise ValueError(f"{name} is {value.dtype}; expected {own.dtype}")
    adapter.load_state_dict(tensors, strict=True, assign=True)
    for name, value in adapter.state_dict().items():
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"{name} is not finite")
    adapter.check_values()
    return adapter.requires_grad_(requires_grad=False).eval()


def _temperature(texts: Mapping[str, str]) -> float | None:
    if "temperature" not in texts:
        return None
    value = float(texts["temperature"])
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"temperature {value}; expected more than 0")
    return value
