"""What an extraction costs."""

import torch

from ovdistill.extraction.estimate import bytes_per_region, describe_passes, seconds_per_image
from ovdistill.teacher import CropPolicy, DenseRegions


class Counting:
    """A stand-in for a teacher, which counts the crops that it gets."""

    image_size, crops, seen = 32, CropPolicy(scales=(1.0, 1.5, 2.0)), 0

    def encode_images(self, images):
        assert images.dtype == torch.uint8 and images.shape[1:] == (3, 32, 32)
        self.seen += len(images)
        return torch.zeros(len(images), 4)


def test_a_warm_up_and_a_measurement():
    teacher = Counting()
    assert seconds_per_image(teacher, batch_size=6, per_image=300) > 0
    assert teacher.seen == 12
    assert describe_passes(teacher) == "3 crops each"


def test_one_pass_over_an_image():
    class Dense(Counting):
        crops = DenseRegions(64)

        def encode_regions(self, image, boxes, batch_size):
            assert image.shape == (3, 48, 64) and batch_size == 6
            self.seen += len(boxes)
            return torch.zeros(len(boxes), 4)

    teacher = Dense()
    assert seconds_per_image(teacher, batch_size=6, per_image=300) > 0
    assert teacher.seen == 600
    assert "64 pixels" in describe_passes(teacher)


def test_bytes():
    assert bytes_per_region(512) == 2 * 512 + 5 * 4
