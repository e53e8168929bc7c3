"""What an extraction costs."""

import torch

from ovdistill.extraction.estimate import bytes_per_region, seconds_per_region
from ovdistill.teacher.crops import CropPolicy


class Counting:
    """A stand-in for a teacher, which counts the crops that it gets."""

    image_size, crops, seen = 32, CropPolicy(scales=(1.0, 1.5, 2.0)), 0

    def encode_images(self, images):
        assert images.dtype == torch.uint8 and images.shape[1:] == (3, 32, 32)
        self.seen += len(images)
        return torch.zeros(len(images), 4)


def test_a_warm_up_and_a_measurement():
    teacher = Counting()
    assert seconds_per_region(teacher, batch_size=6) > 0
    assert teacher.seen == 12


def test_bytes():
    assert bytes_per_region(512) == 2 * 512 + 5 * 4
