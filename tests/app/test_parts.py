"""What a visitor uploads is read within limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio")

from ovdistill.app import parts
from ovdistill.core.errors import UserError


@pytest.fixture
def upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An image of 30 x 40 pixels."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    Image.fromarray(np.full((40, 30, 3), 7, np.uint8)).save(tmp_path / "0a1b.png")
    return {"path": str(tmp_path / "0a1b.png"), "orig_name": "beach.png"}


def test_an_upload_is_reduced_and_the_visitor_is_told(upload, capsys) -> None:
    whole, small = parts.read_upload(upload), parts.read_upload(upload, 300)
    assert whole.image.shape == (40, 30, 3) and small.image.shape == (20, 15, 3)
    assert (
        capsys.readouterr().out
        == "beach.png was reduced to 15 x 20 pixels, and so are its results\n"
    )


def test_an_upload_of_too_many_pixels_is_refused_before_they_are_decoded(
    upload, monkeypatch
) -> None:
    monkeypatch.setattr(parts, "LARGEST", 1000)
    monkeypatch.setattr(parts, "decode_image", lambda *_: pytest.fail("decoded"))
    with pytest.raises(UserError, match="beach.png has 30 x 40 pixels; expected at most 1,000"):
        parts.read_upload(upload)


def test_an_upload_that_was_removed_since(upload) -> None:
    Path(upload["path"]).unlink()
    with pytest.raises(UserError, match="beach.png is not kept any more"):
        parts.read_upload(upload)
