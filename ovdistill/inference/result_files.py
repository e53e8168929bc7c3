"""Writes the detections in many images, one image after another, in the forms that a user wants."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any, ClassVar

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json, write_text
from ovdistill.core.images import write_image
from ovdistill.inference.detections import Detections
from ovdistill.inference.drawn import draw
from ovdistill.inference.formats.coco import CocoFile
from ovdistill.inference.formats.crops import save_crops
from ovdistill.inference.formats.label_studio import label_studio_task
from ovdistill.inference.formats.voc import voc_xml
from ovdistill.inference.formats.yolo import data_yaml, yolo_lines


class ResultFile(ABC):
    """One form of results.

    Args:
        folder: where the files go.
        origin: what made the results, for those that can say it.

    Attributes:
        own: the file of an image, whose name takes the place of ``{}``; empty if there is none.
        shared: the file about all images, or the folder of such files; empty if there is none.
    """

    own: ClassVar[str] = ""
    shared: ClassVar[str] = ""

    def __init__(self, folder: Path, origin: Mapping[str, Any]) -> None:
        self.folder = folder
        self.origin = origin

    def path(self, name: str) -> Path:
        """Return the file of an image of a name."""
        return self.folder / self.own.format(name)

    @abstractmethod
    def add(self, found: Detections, name: str) -> Path | None:
        """Write the detections in an image.

        Args:
            found: with ``image``, ``path`` and ``queries``.
            name: for the files of this image, without a suffix; no other image has it.

        Returns:
            The file, None if it is written at the end.
        """

    def close(self) -> Path | None:
        """Write what is left when all images were added; return the file, if any."""
        return None


class DrawnImage(ResultFile):
    """NAME.png: the image with what was found in it."""

    own = "{}.png"

    def add(self, found: Detections, name: str) -> Path:
        """Draw the detections; see ``ResultFile``."""
        path = self.path(name)
        write_image(path, draw(found, note=self.origin.get("note", "")))
        return path


class JsonFile(ResultFile):
    """NAME.json: the objects, what was looked for, and what made it."""

    own = "{}.json"

    def add(self, found: Detections, name: str) -> Path:
        """Write the objects; see ``ResultFile``."""
        path = self.path(name)
        report = found.to_dict() | {"provenance": self.origin.get("provenance")}
        if found.nearest is not None:
            report["nearest"] = {"name": found.nearest[0], "score": round(found.nearest[1], 4)}
        if warning := self.origin.get("warning"):
            report["warning"] = warning
        write_json(path, report)
        return path


class CocoResults(ResultFile):
    """coco.json: an annotation file in COCO's format."""

    shared = "coco.json"

    def __init__(self, folder: Path, origin: Mapping[str, Any]) -> None:
        super().__init__(folder, origin)
        self.file = CocoFile()

    def add(self, found: Detections, name: str) -> None:
        """Take the detections; see ``ResultFile``."""
        self.file.add(found)

    def close(self) -> Path:
        """Write the file."""
        self.file.write(self.folder / self.shared)
        return self.folder / self.shared


class YoloLabels(ResultFile):
    """labels/NAME.txt and data.yaml: a data set for YOLO, outlines where there are masks."""

    own = "labels/{}.txt"
    shared = "data.yaml"

    def __init__(self, folder: Path, origin: Mapping[str, Any]) -> None:
        super().__init__(folder, origin)
        self.numbers: dict[str, int] = {}

    def add(self, found: Detections, name: str) -> Path:
        """Write the labels; see ``ResultFile``."""
        for query in found.queries:
            self.numbers.setdefault(query, len(self.numbers))
        path = self.path(name)
        write_text(path, yolo_lines(found, self.numbers, masks=found.masks is not None))
        return path

    def close(self) -> Path:
        """Write the names."""
        write_text(self.folder / self.shared, data_yaml(self.numbers))
        return self.folder / self.shared


class VocFile(ResultFile):
    """NAME.xml: boxes in PASCAL VOC's format."""

    own = "{}.xml"

    def add(self, found: Detections, name: str) -> Path:
        """Write the boxes; see ``ResultFile``."""
        path = self.path(name)
        write_text(path, voc_xml(found))
        return path


class LabelStudioTasks(ResultFile):
    """label_studio.json: tasks with predicted boxes, to be imported into Label Studio."""

    shared = "label_studio.json"

    def __init__(self, folder: Path, origin: Mapping[str, Any]) -> None:
        super().__init__(folder, origin)
        self.tasks: list[dict[str, Any]] = []

    def add(self, found: Detections, name: str) -> None:
        """Take the detections; see ``ResultFile``."""
        self.tasks.append(label_studio_task(found))

    def close(self) -> Path:
        """Write the tasks."""
        write_json(self.folder / self.shared, self.tasks)
        return self.folder / self.shared


class CropFiles(ResultFile):
    """crops/NAME_000_CLASS.png: each object, cut out."""

    shared = "crops"

    def add(self, found: Detections, name: str) -> Path:
        """Write the crops; see ``ResultFile``."""
        save_crops(replace(found, path=f"{name}.png"), self.folder / self.shared)
        return self.folder / self.shared


RESULT_FILES: dict[str, type[ResultFile]] = {
    "image": DrawnImage,
    "json": JsonFile,
    "coco": CocoResults,
    "yolo": YoloLabels,
    "voc": VocFile,
    "label-studio": LabelStudioTasks,
    "crops": CropFiles,
}


def open_result_files(
    kinds: Sequence[str], folder: Path, origin: Mapping[str, Any]
) -> list[ResultFile]:
    """Return a writer of each kind, see ``RESULT_FILES``."""
    return [RESULT_FILES[kind](folder, origin) for kind in dict.fromkeys(kinds)]


def reserved_names(kinds: Sequence[str]) -> list[str]:
    """Return the names that no image may have, so that no file of it is one about all images."""
    forms = [RESULT_FILES[kind] for kind in kinds]
    stems = {PurePath(form.shared).stem: form.shared for form in forms}
    return [
        stem
        for stem, shared in stems.items()
        if any(form.own.format(stem) == shared for form in forms)
    ]


def outputs_of(kinds: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Yield the files, and the folders of files, that are written for images of some names."""
    for form in (RESULT_FILES[kind] for kind in kinds):
        yield from filter(None, [form.shared])
        yield from map(form.own.format, names if form.own else ())


def check_inputs_stay(folder: Path, outputs: Iterable[str], inputs: Iterable[Path]) -> None:
    """Raise UserError if a result would replace a file that is read.

    Args:
        folder: of the results.
        outputs: files in it, and folders of files.
        inputs: the files that are read.
    """
    given = {path.resolve() for path in inputs}
    given |= {path.parent for path in given}
    for path in (folder / output for output in outputs):
        if path.resolve() in given:
            raise UserError(f"{path} would be written over: give another -o")
