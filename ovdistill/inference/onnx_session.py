"""Opens what `ovdistill export` wrote, and checks it: an ONNX file may come from anybody."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra
from ovdistill.inference.onnx_header import INPUTS, OUTPUTS, TEXT_INPUTS, OnnxHeader

HOW = "make it with: ovdistill export MODEL --text NAMES -o model.onnx"


def open_session(path: Path, threads: int | None, providers: Sequence[str] | None) -> Any:
    """Return onnxruntime's session of a file.

    Args:
        path: the file.
        threads: of the CPU; None for all cores.
        providers: onnxruntime's names of devices; None for those that are installed.

    Raises:
        UserError: no such file, no ONNX file, or a missing extra.
    """
    runtime = import_extra("onnxruntime", "onnx")
    if not path.is_file():
        raise UserError(f"no file {path}; {HOW}")
    if threads is not None and threads < 1:
        raise UserError(f"got threads={threads}; expected 1 or more")
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # warnings are for who exports
    options.intra_op_num_threads = threads or 0
    there = runtime.get_available_providers()
    if unknown := set(providers or ()).difference(there):
        raise UserError(f"got the providers {sorted(unknown)}; installed are {there}")
    errors = runtime.capi.onnxruntime_pybind11_state
    try:
        return runtime.InferenceSession(os.fspath(path), options, list(providers or there))
    except (errors.InvalidProtobuf, errors.InvalidGraph, errors.Fail, errors.NoModel) as error:
        reason = str(error).splitlines()[0][:200]
        raise UserError(f"{path} is no ONNX file that can be run ({reason}); {HOW}") from None


def check_graph(session: Any, header: OnnxHeader, path: str) -> None:
    """Raise UserError unless a graph takes and returns what its header says."""
    inputs = {value.name for value in session.get_inputs()}
    texts = {value.name for value in session.get_overridable_initializers()}
    outputs = {value.name for value in session.get_outputs()}
    expected = {"texts"} if header.texts_as_input else set()
    if (
        inputs != set(INPUTS)
        or not expected <= texts <= set(TEXT_INPUTS)
        or not outputs.issuperset(OUTPUTS)
    ):
        raise UserError(
            f"{path} takes {sorted(inputs | texts)} and returns {sorted(outputs)}; expected "
            f"{sorted({*INPUTS, *expected})} and {sorted(OUTPUTS)}: {HOW}"
        )


def check_outputs(values: Mapping[str, np.ndarray], classes: int) -> None:
    """Raise UserError for boxes and scores that are no numbers, and labels of no class."""
    if not all(np.isfinite(values[name]).all() for name in ("boxes", "scores", "runner_up_scores")):
        raise UserError(
            "the detector returned boxes or scores that are not finite numbers: its weights are "
            "damaged, or their training diverged"
        )
    for name, least in (("labels", 0), ("nearest", 0), ("runner_up", -1)):
        if not ((values[name] >= least) & (values[name] < classes)).all():
            raise UserError(f"the detector returned {name} that are none of its {classes} classes")
