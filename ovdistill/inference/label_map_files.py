"""Writes the label maps of many images: drawings, PNG files, and one JSON file about all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ovdistill.core.files import write_json
from ovdistill.core.images import write_image
from ovdistill.inference.drawn_labels import draw
from ovdistill.inference.segmentation_result import SegmentationResult
from ovdistill.visualization.palette import class_colour

FOLDER, SUMMARY = "label_maps", "label_maps.json"


class LabelMapFiles:
    """The files of a folder of results.

    NAME.png is a drawing and label_maps/NAME.png a label map (see ``label_png.label_image``);
    label_maps.json has the names, and the shares of them in each image.

    Args:
        folder: where the files go.
        names: that were asked for.
        kinds: 'image' for drawings, 'json' for label maps with their JSON file.
        origin: ``provenance``, and perhaps ``warning`` and ``note``.
    """

    def __init__(
        self, folder: Path, names: Sequence[str], kinds: Collection[str], origin: Mapping[str, Any]
    ) -> None:
        self.folder = folder
        self.kinds = kinds
        self.origin = origin
        self._names = [
            {"label": label, "name": name, "colour": class_colour(label)}
            for label, name in enumerate(names)
        ]
        self._images: list[dict[str, Any]] = []

    def add(self, result: SegmentationResult, name: str) -> list[Path]:
        """Write the files of an image.

        Args:
            result: with the image, or its path.
            name: of the files, without a suffix; no other image has it.

        Returns:
            The files.
        """
        paths = []
        if "image" in self.kinds:
            paths.append(self.folder / f"{name}.png")
            write_image(paths[-1], draw(result, note=self.origin.get("note", "")))
        if "json" in self.kinds:
            label_map = f"{FOLDER}/{name}.png"
            paths.append(result.save_label_map(self.folder / label_map))
            self._images.append(result.to_dict() | {"label_map": label_map})
        return paths

    def close(self) -> Path | None:
        """Write the JSON file about all images; return it, if there is one."""
        if "json" not in self.kinds:
            return None
        about = {key: self.origin[key] for key in ("warning", "provenance") if key in self.origin}
        path = self.folder / SUMMARY
        write_json(path, about | {"names": self._names, "images": self._images})
        return path


def label_map_outputs(kinds: Collection[str], names: Sequence[str]) -> list[str]:
    """Return the files that ``LabelMapFiles`` writes for images of some names, without drawings."""
    return [SUMMARY, *(f"{FOLDER}/{name}.png" for name in names)] if "json" in kinds else []
