"""Packs what was found as files to download: made when asked for, and not kept."""

from __future__ import annotations

import base64
import io
import mimetypes
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ovdistill.inference.detections import Detections
from ovdistill.inference.result_files import open_result_files

FORMS = {"image": "Image", "json": "JSON", "coco": "COCO", "yolo": "YOLO"}


@dataclass(frozen=True)
class Download:
    """A file for the browser."""

    name: str
    content: bytes

    def for_browser(self) -> dict[str, str]:
        """Return what the browser makes a file of."""
        kind = mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        text = base64.b64encode(self.content).decode("ascii")
        return {"name": self.name, "url": f"data:{kind};base64,{text}"}


def pack(detections: Detections, form: str, origin: Mapping[str, Any]) -> Download:
    """Return the detections in one of ``FORMS``: a file, or a ZIP archive of several.

    Args:
        detections: with their image and the name of its file.
        form: a key of ``result_files.RESULT_FILES``.
        origin: what made them, see ``ResultFile``.
    """
    stem = Path(detections.path or "image").stem or "image"
    with tempfile.TemporaryDirectory(prefix="ovdistill-") as folder:
        root = Path(folder)
        (writer,) = open_result_files([form], root, origin)
        writer.add(replace(detections, path=f"{stem}.png"), stem)
        writer.close()
        files = sorted(path for path in root.rglob("*") if path.is_file())
        if len(files) == 1:
            return Download(files[0].name, files[0].read_bytes())
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
            for path in files:
                pack.write(path, path.relative_to(root))
        return Download(f"{stem}_{form}.zip", archive.getvalue())
