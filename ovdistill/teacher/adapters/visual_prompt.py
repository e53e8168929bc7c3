"""Visual prompts: learned pixels that are added to every image in front of the frozen tower.

Source: Bahng et al., "Exploring Visual Prompts for Adapting Large-Scale Models", arXiv 2203.17274.

Shapes: n images, S side of the teacher's input, w width of the prompt, K pixels that it has.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.teacher.adapter import TeacherAdapter, register_adapter
from ovdistill.teacher.adapters.prompt_pixels import add_prompt, prompt_size


@register_adapter
class VisualPrompt(TeacherAdapter):
    """A frame around the image, or a patch in its corner, that is added to the pixels.

    Args:
        image_size: S.
        width: w, pixels: of the frame's sides, or the side of the patch; up to S / 2 for a frame.
        place: 'frame' (the paper's padding) or 'patch' (its fixed patch, at the top left).

    Attributes:
        values: (3, K) float32, RGB in the units of pixels in [0, 1]; zeros at first, which change
            nothing.

    Raises:
        ValueError: a width that does not fit, or an unknown place.
    """

    kind = "visual-prompt"

    def __init__(self, image_size: int, width: int, place: str = "frame") -> None:
        super().__init__()
        self.image_size, self.width, self.place = int(image_size), int(width), place
        count = prompt_size(self.image_size, self.width, place)
        self.values = nn.Parameter(torch.zeros(3, count))

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments, see ``TeacherAdapter``."""
        return {"image_size": self.image_size, "width": self.width, "place": self.place}

    def adapt_pixels(self, images: Tensor) -> Tensor:
        """Add the prompt to images, see ``TeacherAdapter``; sums may leave [0, 1]."""
        if images.shape[-1] != self.image_size or images.shape[-2] != self.image_size:
            raise UserError(
                f"the visual prompt is for images of {self.image_size} pixels; got "
                f"{tuple(images.shape[-2:])}"
            )
        return add_prompt(images, self.values, self.width, self.place)
