"""What the base class does for a teacher of your own."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher import CropPolicy, Teacher
from ovdistill.teacher.teacher import hash_weights


class MeanColour(Teacher):
    """Embeds an image as its mean colour."""

    name = "mean"
    embed_dim = 3
    image_size = 8

    def __init__(self, crops=None):
        super().__init__(crops)
        self.weight = torch.nn.Parameter(torch.ones(3))
        self.dropout = torch.nn.Dropout()

    def encode_text(self, texts, batch_size=256):
        return normalize(torch.ones(len(texts), 3), dim=1)

    def encode_images(self, images):
        assert images.shape[1:] == (3, 8, 8) and images.dtype == torch.uint8
        return images.float().mean(dim=(2, 3)) + 1


def test_crops_are_a_policy_or_its_arguments() -> None:
    assert MeanColour().crops == CropPolicy()
    assert MeanColour(dict(scales=(2.0,))).crops == CropPolicy(scales=(2.0,))
    assert MeanColour(CropPolicy(shape="pad")).crops.shape == "pad"


def test_it_stays_in_evaluation_mode() -> None:
    detector = torch.nn.ModuleList([MeanColour()])
    assert detector.train().training
    assert not any(module.training for module in detector[0].train().modules())
    assert detector[0].train(True) is detector[0]


def test_id_is_name_and_hash() -> None:
    teacher = MeanColour()
    assert teacher.id == TeacherId("mean", hash_weights(teacher.state_dict()))
    assert MeanColour.name_of(crops=None) is None


def test_hash_depends_on_names_shapes_types_and_values() -> None:
    states = [
        {"a": torch.zeros(2)},
        {"b": torch.zeros(2)},
        {"a": torch.zeros(2, 1)},
        {"a": torch.zeros(2).double()},
        {"a": torch.ones(2)},
    ]
    assert len({hash_weights(state) for state in states}) == len(states)
    pair = {"a": torch.zeros(2), "b": torch.ones(1)}
    assert hash_weights(pair) == hash_weights(dict(reversed(pair.items())))
    assert hash_weights({}) == "e3b0c44298fc1c14"  # SHA-256 of nothing


def test_regions_of_one_image_and_of_several() -> None:
    teacher = MeanColour(dict(scales=(1.0,)))
    image = torch.zeros(3, 20, 20, dtype=torch.uint8)
    image[0, :, :10] = image[2, :, 10:] = 255
    boxes = torch.tensor([[0.0, 0, 8, 8], [12, 4, 20, 12]])
    found = teacher.encode_regions(image, boxes)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    assert found.argmax(dim=1).tolist() == [0, 2]
    several = teacher.encode_regions([image, image], [boxes[:1], boxes[1:]])
    torch.testing.assert_close(several, found)
    torch.testing.assert_close(teacher.encode_regions(image.float() / 255, boxes), found)
    assert teacher.encode_regions(image, boxes[:0]).shape == (0, 3)
    assert teacher.encode_regions([], []).shape == (0, 3)


def test_regions_by_another_policy() -> None:
    """The box is red, with blue around it."""
    image = torch.zeros(3, 20, 20, dtype=torch.uint8)
    image[2] = 255
    image[:, 6:14, 6:14] = torch.tensor([255, 0, 0], dtype=torch.uint8)[:, None, None]
    box = torch.tensor([[6.0, 6, 14, 14]])
    teacher, wide = MeanColour(dict(scales=(1.0,))), CropPolicy(scales=(2.0,))
    own, other = teacher.encode_regions(image, box), teacher.encode_regions(image, box, policy=wide)
    assert (own.argmax(), other.argmax()) == (0, 2)
    torch.testing.assert_close(other, MeanColour(wide).encode_regions(image, box))
    both = CropPolicy(scales=(1.0, 2.0))
    found = teacher.encode_regions(image, box.repeat(3, 1), batch_size=4, policy=both)
    torch.testing.assert_close(found, MeanColour(both).encode_regions(image, box).repeat(3, 1))


@pytest.mark.parametrize(
    ("image", "boxes"),
    [
        ((70, 90), [[0.0, 0, 1, 1]]),
        ((3, 70, 90), [[0.0, 0, 1]]),
        ((3, 70, 90), [[5.0, 5, 5, 9]]),
        ((3, 70, 90), [[5.0, 5, float("nan"), 9]]),
    ],
)
def test_bad_regions(image: tuple[int, ...], boxes: list[list[float]]) -> None:
    with pytest.raises(UserError):
        MeanColour().encode_regions(torch.zeros(image), torch.tensor(boxes))


def test_as_many_images_as_sets_of_boxes() -> None:
    with pytest.raises(UserError, match="1 images, 2"):
        MeanColour().encode_regions([torch.zeros(3, 8, 8)], [torch.zeros(0, 4)] * 2)
