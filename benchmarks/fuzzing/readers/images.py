"""Images: many formats and modes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from ovdistill.core.images import decode_image, read_image, read_image_size

from ..mutate_images import mutate_image
from ..reader import MEGABYTE, Files, Reader

# mode of Pillow, format
KINDS = (
    *(("RGB", "png"), ("L", "png"), ("1", "png"), ("P", "png"), ("RGBA", "png"), ("I;16", "png")),
    *(("RGB", "jpeg"), ("L", "jpeg"), ("CMYK", "jpeg"), ("RGB", "webp"), ("RGBA", "webp")),
    *(("P", "gif"), ("RGB", "bmp"), ("RGB", "tiff"), ("F", "tiff"), ("CMYK", "tiff")),
    *(("RGB", "ppm"), ("L", "tiff")),
)


class ImageReader(Reader):
    """``read_image``, ``read_image_size`` and ``decode_image``.

    An image of 20,000 x 20,000 pixels is allowed, which takes more than the other readers.
    """

    name = "images"
    memory = 6000 * MEGABYTE

    def seeds(self) -> Sequence[Files]:
        """Return small images of many kinds."""
        pixels = np.random.default_rng(0).integers(0, 255, (9, 12, 3), dtype=np.uint8)
        turned = Image.Exif()
        turned[0x0112] = 6
        seeds = []
        for mode, suffix in KINDS:
            image = Image.fromarray(pixels).convert("L" if mode == "I;16" else mode)
            if mode == "I;16":
                image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
            if mode == "F":
                image = Image.fromarray(np.asarray(image) / 255)
            file = io.BytesIO()
            exif = dict(exif=turned) if suffix in ("png", "jpeg", "webp") else {}
            image.save(file, suffix, **exif)
            seeds.append({"input.png": file.getvalue()})
        frames, file = [Image.fromarray(pixels), Image.fromarray(255 - pixels)], io.BytesIO()
        frames[0].save(file, "png", save_all=True, append_images=frames[1:])
        return [*seeds, {"input.png": file.getvalue()}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change chunks, segments or bytes."""
        return {"input.png": mutate_image(files["input.png"], rng)}

    def read(self, folder: Path) -> None:
        """Decode the image; its header must state the size that it has, and bytes be the same."""
        pixels = read_image(folder / "input.png")
        assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3, pixels.shape
        size = read_image_size(folder / "input.png")
        assert size == pixels.shape[:2], f"{size} in the header, {pixels.shape[:2]} decoded"
        if pixels.size < MEGABYTE:  # a large one takes the time of two
            decoded = decode_image((folder / "input.png").read_bytes())
            assert np.array_equal(pixels, decoded), "the bytes of the file are another image"
