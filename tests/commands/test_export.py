"""`ovdistill export` refuses bad input before it traces anything."""

from __future__ import annotations

import pytest

from ovdistill.commands.main import run
from ovdistill.core.errors import UserError


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--text"),
        (["--text", "a", "--vocabulary", "b"], "--text"),
        (["--vocabulary", "b", "--background", "c"], "--background"),
        (["--vocabulary", "missing.safetensors"], "missing.safetensors"),
        (["--text", "ring", "--checkpoint", "missing.pth"], "missing.pth"),
        (["--text", "ring", "--opset", "12"], "12"),
        (["--text", "ring", "-o", "model.pt2"], "model.pt2.*onnx"),
    ],
)
def test_bad_options(arguments, said, tmp_path):
    out = tmp_path / "model.onnx"
    with pytest.raises(UserError, match=said):
        run(["export", "ovshapes", "-o", str(out), *arguments])
    assert not out.exists()


def test_a_one_stage_detector(tmp_path):
    from ovdistill.core.assets import STUDENT
    from ovdistill.core.recipes import find_recipe
    from ovdistill.inference.detector import Detector
    from ovdistill.inference.onnx_export import export_onnx
    from ovdistill.inference.pretrained import DetectorFiles

    files = DetectorFiles(find_recipe("hierkd_atss_r18_shapes"), None)
    detector = Detector(files, "cpu")
    detector.set_vocabulary(Detector.from_pretrained(STUDENT, device="cpu").known)
    with pytest.raises(UserError, match="one-stage"):
        export_onnx(detector, tmp_path / "model.onnx")
