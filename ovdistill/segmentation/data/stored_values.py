"""What Pillow does to the values of a grey file, so that a label map can have them back.

Pillow stretches grey values to its own range: 0, 1, 2, 3 of 2 bits become 0, 85, 170, 255. To an
image that makes no difference; in a label map it makes other classes.
"""

from __future__ import annotations

from PIL import Image

FACTORS = {"L;2": 85, "L;4": 17}  # 255 / 3, 255 / 15
UNSCALED = (255, 65535)  # the largest values of PGM and PPM files that keep their values
INVERTED = ("1;I", "1;IR", "L;I", "L;IR", "L;2I", "L;2IR", "L;4I", "L;4IR")
SHORTENED = "RGB;16"  # colours of 16 bits, of which Pillow keeps the upper 8


def stored_factor(image: Image.Image) -> int:
    """Return by how much Pillow multiplies the values of a file when it decodes it.

    Args:
        image: opened, and not decoded yet.

    Raises:
        ValueError: values that cannot be had back, or are stored inverted; it says what they are.
    """
    tiles = getattr(image, "tile", None)  # which only images of files have
    if not tiles:
        return 1
    arguments = tiles[0].args
    raw, *others = arguments if isinstance(arguments, tuple) else (arguments,)
    if not isinstance(raw, str):  # GIF has numbers here, and its values as they are
        return 1
    if image.format == "PPM" and others and isinstance(others[0], int):
        largest = others[0] if tiles[0].codec_name.startswith("ppm") else UNSCALED[0]
        if largest not in UNSCALED:
            raise ValueError(f"values with a maximum of {largest}, which are scaled when read")
    if raw in INVERTED:
        raise ValueError("values that are stored inverted (white is 0)")
    if raw.startswith(SHORTENED):
        raise ValueError("colours of 16 bits, whose lower halves are lost when read")
    return FACTORS.get(raw.removesuffix("R"), 1)  # R: a TIFF file's bits in the other order
