"""Label maps, the tables of their values, and COCO's panoptic files."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.datasets.names.label_table import load_label_table
from ovdistill.segmentation.data.image_files import read_list
from ovdistill.segmentation.data.label_map import (
    lookup_of,
    read_label_map,
    read_segment_ids,
    values_to_rows,
)
from ovdistill.segmentation.data.panoptic_file import read_panoptic

from ..mutate_images import mutate_image
from ..mutate_json import dump, mutate_json
from ..mutate_text import mutate_text
from ..reader import MEGABYTE, Files, Reader

KNOWN = dict.fromkeys(range(1 << 16), ())  # values that are in the table


class LabelMapReader(Reader):
    """``read_label_map`` and ``read_segment_ids``, and the rows of their values."""

    name = "label-maps"
    memory = 6000 * MEGABYTE  # as for images

    def seeds(self) -> Sequence[Files]:
        """Return small maps of each kind."""
        values = np.random.default_rng(0).integers(0, 9, (6, 7), dtype=np.uint8)
        palette = Image.fromarray(values, "L")
        palette.putpalette(list(range(256)) * 3)
        images = (
            *(Image.fromarray(values), Image.fromarray(values.astype(np.uint16) * 500), palette),
            Image.fromarray(np.stack([values, values, values * 0], -1)),
        )
        return [{"input.png": _png(image)} for image in images]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change chunks or bytes."""
        return {"input.png": mutate_image(files["input.png"], rng)}

    def read(self, folder: Path) -> None:
        """Read the map in both ways; what is no map of one kind may be one of the other."""
        path = folder / "input.png"
        try:
            values = read_label_map(path)
        except UserError:
            values = read_segment_ids(path)
        assert values.dtype == np.int32 and values.ndim == 2 and values.min() >= 0
        values_to_rows(values, lookup_of({1: 0}, KNOWN), str(path))


class LabelTableReader(Reader):
    """``load_label_table``: values and names in a text file."""

    name = "label-tables"

    def seeds(self) -> Sequence[Files]:
        """Return tables with and without values."""
        return [{"input.txt": b"0\t-\n1\tcat, kitty\n20\tdog\n"}, {"input.txt": b"cat\ndog\n"}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change the text."""
        return {"input.txt": mutate_text(files["input.txt"], rng)}

    def read(self, folder: Path) -> None:
        """Read the table, and find its classes in a vocabulary."""
        table = load_label_table(folder / "input.txt")
        names = table.class_names().names
        rows = table.rows(names)
        assert {*rows.values()} <= {*range(len(names))}
        lookup_of(rows, table.names)


class ImageListReader(Reader):
    """``read_list``: names of images, one a line."""

    name = "image-lists"

    def seeds(self) -> Sequence[Files]:
        """Return a list with folders and an empty line, and one with a byte order mark."""
        return [{"input.txt": b"a/1\nb 2\n\nc\n"}, {"input.txt": b"\xef\xbb\xbfa\r\nb\r\n"}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change the text."""
        return {"input.txt": mutate_text(files["input.txt"], rng)}

    def read(self, folder: Path) -> None:
        """Read the list; every name stands in it once."""
        names = read_list(folder / "input.txt")
        assert all(names) and len(names) == len({*names})


class PanopticReader(Reader):
    """``read_panoptic``: COCO's panoptic format."""

    name = "panoptic"

    def seeds(self) -> Sequence[Files]:
        """Return a file of one image with two segments."""
        segments = [dict(id=3, category_id=1, iscrowd=0), dict(id=9, category_id=2, iscrowd=1)]
        content = dict(
            images=[dict(id=1, file_name="a.jpg", height=4, width=5)],
            annotations=[dict(image_id=1, file_name="a.png", segments_info=segments)],
            categories=[dict(id=1, name="cat"), dict(id=2, name="sky-other-merged")],
        )
        return [{"input.json": dump(content)}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change values of the JSON."""
        return {"input.json": dump(mutate_json(json.loads(files["input.json"]), rng))}

    def read(self, folder: Path) -> None:
        """Read the file; its segments are of categories in its table."""
        found = read_panoptic(folder / "input.json")
        for _, name, segments in found.maps:
            assert isinstance(name, str)
            assert all(segment["category_id"] in found.table.names for segment in segments)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()
