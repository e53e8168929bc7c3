"""Methods that learn from pixels: they fit what they see, and the teacher stays."""

from functools import partial

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.images import write_image
from ovdistill.ovshapes.scenes import scene
from ovdistill.teacher import OpenCLIPTeacher, build_teacher, read_adapter
from ovdistill.teacher_training.adapt.crops import RegionCrops
from ovdistill.teacher_training.adapt.data import AdaptData, LabelledRegions
from ovdistill.teacher_training.adapt.fine_tune import FineTuneMethod
from ovdistill.teacher_training.adapt.upt import UnifiedPromptsMethod
from ovdistill.teacher_training.adapt.visual_prompt import VisualPromptMethod
from ovdistill.vocabulary import Names, Vocabulary

NAMES = ("star", "ring", "cross", "heart")  # a heart is novel
BASE = torch.tensor([True, True, True, False])
FEW = dict(epochs=6, batch=4)
METHODS = {
    "visual-prompt": partial(VisualPromptMethod, **FEW, lr=0.05),
    "patch": partial(VisualPromptMethod, **FEW, lr=0.05, place="patch", width=12),
    "upt": partial(UnifiedPromptsMethod, **FEW, lr=3e-3),
    "fine-tune": partial(FineTuneMethod, **FEW, lr=1e-3, average=1.0),
    "low rank": partial(FineTuneMethod, **FEW, lr=1e-2, rank=2, average=1.0),
    "both towers": partial(FineTuneMethod, **FEW, lr=1e-3, towers="both", average=1.0),
}


@pytest.fixture(scope="module")
def objects(tmp_path_factory) -> tuple[list[str], torch.Tensor, torch.Tensor]:
    """Files, boxes and labels of some objects, drawn with crayons."""
    folder, found = tmp_path_factory.mktemp("images"), []
    for seed in range(40):
        drawn = scene(np.random.default_rng(seed), domain="crayon")
        path = folder / f"{seed}.png"
        write_image(path, drawn.image)
        found += [
            (str(path), thing.box, NAMES.index(thing.shape))
            for thing in drawn.objects
            if thing.shape in NAMES[:3]
        ]
    files, boxes, labels = zip(*found[:16], strict=True)
    return list(files), torch.tensor(np.stack(boxes)), torch.tensor(labels)


@pytest.fixture
def data(objects) -> AdaptData:
    return data_of(OpenCLIPTeacher("ovshapes"), objects)


def data_of(teacher, objects) -> AdaptData:
    files, boxes, labels = objects
    vocabulary = Vocabulary.encode(Names(NAMES), teacher, ("a {}", "the {}"), BASE)
    crops = RegionCrops.of_teacher(files, boxes, teacher)
    regions = LabelledRegions(
        teacher.embed_crops(crops.cut(torch.arange(len(labels)))), labels, crops
    )
    return AdaptData(teacher, vocabulary, regions, regions[torch.arange(0)], "some objects")


def loss(lines: list[str], epoch: int) -> float:
    return float(lines[epoch].split("loss ")[1])


@pytest.mark.parametrize("kind", METHODS)
def test_it_learns_and_the_teacher_stays(data, kind):
    before, lines = data.teacher.id, []
    result = METHODS[kind]().learn(data, lines.append)
    assert loss(lines, -1) < loss(lines, 0)
    assert data.teacher.id == before
    data.teacher.__dict__.pop("weights_hash")
    assert data.teacher.weights_hash == before.weights_hash
    assert not result.teacher.id.is_same(before)
    assert result.teacher.id.name.startswith("ovshapes-rn+")
    assert result.vocabulary.names == NAMES and result.vocabulary.teacher == result.teacher.id
    assert torch.equal(result.vocabulary.is_base, BASE)
    assert result.images is None  # they pass the tower again


@pytest.mark.parametrize("kind", ["visual-prompt", "upt"])
def test_a_file_gives_the_same_teacher(data, kind, tmp_path):
    result = METHODS[kind](epochs=1).learn(data, str)
    result.write(tmp_path / "a.safetensors")
    assert read_adapter(tmp_path / "a.safetensors").adapter.kind == kind
    found = build_teacher(dict(model="ovshapes", adapter=str(tmp_path / "a.safetensors")))
    assert found.id == result.teacher.id
    image = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    torch.testing.assert_close(found.encode_images(image), result.teacher.encode_images(image))


def test_averages_lie_between(data, tmp_path):
    result = FineTuneMethod(epochs=1, batch=16, lr=1e-2).learn(data, str)
    assert [*result.variants] == ["average 0.25", "average 0.75", "average 1"]
    result.write(tmp_path / "tuned")
    assert OpenCLIPTeacher(str(tmp_path / "tuned")).id == result.teacher.id
    whole = result.variants["average 1"]()
    assert not whole.teacher.id.is_same(result.teacher.id)
    name = "visual.layer1.0.conv1.weight"
    before, after, half = (
        teacher.model.state_dict()[name]
        for teacher in (data.teacher, whole.teacher, result.teacher)
    )
    torch.testing.assert_close(half, (before + after) / 2)
    assert torch.equal(whole.teacher.encode_text(["x"]), data.teacher.encode_text(["x"]))


def test_the_text_tower_is_tuned_if_asked_for(data):
    result = METHODS["both towers"](epochs=1).learn(data, str)
    assert not torch.allclose(
        result.teacher.encode_text(["star"]), data.teacher.encode_text(["star"]), atol=1e-4
    )


def test_weights_behind_a_map_are_not_tuned(objects):
    mapped = build_teacher(dict(model="ovshapes", embedding_map="ovshapes-clip"))
    with pytest.raises(UserError, match="embedding map"):
        FineTuneMethod().learn(data_of(mapped, objects), str)


@pytest.mark.parametrize("bad", [dict(average=0.0), dict(rank=0), dict(towers="ivory")])
def test_settings_out_of_range(bad):
    with pytest.raises(UserError, match=next(iter(bad))):
        FineTuneMethod(**bad)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (VisualPromptMethod(width=33), "33"),
        (VisualPromptMethod(place="left"), "left"),
        (UnifiedPromptsMethod(width=33), "33"),
        (UnifiedPromptsMethod(init=" "), "to start from"),
        (UnifiedPromptsMethod(init="a " * 29), "names are too long"),
    ],
)
def test_what_does_not_fit_is_found_before_regions_are_embedded(data, method, message):
    with pytest.raises(UserError, match=message):
        method.check(data.teacher, data.vocabulary)
