"""Packs what was found as files to download: made when asked for, and not kept."""

from __future__ import annotations

import base64
import io
import mimetypes
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ovdistill.inference.detections import Detections
from ovdistill.inference.label_map_files import LabelMapFiles
from ovdistill.inference.result_files import open_result_files
from ovdistill.inference.segmentation_result import SegmentationResult

FORMS = {"image": "Image", "json": "JSON", "coco": "COCO", "yolo": "YOLO"}
LABEL_MAP_FORMS = {"image": "Image", "json": "Label map"}


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
    stem = _stem(detections.path)
    with _folder() as folder:
        (writer,) = open_result_files([form], folder, origin)
        writer.add(replace(detections, path=f"{stem}.png"), stem)
        writer.close()
        return _packed(folder, f"{stem}_{form}.zip")


def pack_label_map(result: SegmentationResult, form: str, origin: Mapping[str, Any]) -> Download:
    """Return a label map in one of ``LABEL_MAP_FORMS``: a drawing, or an archive of PNG and JSON.

    Args:
        result: with its image and the name of its file.
        form: see ``LabelMapFiles``.
        origin: what made it, see ``LabelMapFiles``.
    """
    stem = _stem(result.path)
    with _folder() as folder:
        files = LabelMapFiles(folder, result.names, {form}, origin)
        files.add(replace(result, path=f"{stem}.png"), stem)
        files.close()
        return _packed(folder, f"{stem}_label_map.zip")


def _stem(path: str | None) -> str:
    return Path(path or "image").stem or "image"


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ovdistill-") as folder:
        yield Path(folder)


def _packed(folder: Path, archive_name: str) -> Download:
    """Return the file of a folder; an archive if there are several."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(files) == 1:
        return Download(files[0].name, files[0].read_bytes())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        for path in files:
            pack.write(path, path.relative_to(folder))
    return Download(archive_name, archive.getvalue())
