"""The config of docs/continue.md: further classes on top of what `ovdistill init-dataset` wrote."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import DATA_SAMPLERS, DATASETS

import ovdistill.models.register  # noqa: F401
from ovdistill.commands import main
from ovdistill.core.teacher_id import TeacherId
from ovdistill.extraction.config_inputs import proposal_network, training_images
from ovdistill.extraction.prepare import run_step
from ovdistill.extraction.proposal_origin import proposal_differences, training_origin, write_note
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

PAGE = Path(__file__).parents[2] / "docs" / "continue.md"


def write_data(folder: Path, name: str, categories: list[str]) -> None:
    """Write a file with an image in which there is an object of each category."""
    image = dict(id=1, file_name=f"{name}.png", height=64, width=96)
    cv2.imwrite(str(folder / image["file_name"]), np.full((64, 96, 3), 120, np.uint8))
    objects = [
        dict(
            id=k,
            image_id=1,
            category_id=k,
            bbox=[5, 5, 40, 40],
            segmentation=[[5, 5, 45, 5, 45, 45]],
        )
        for k in range(1, len(categories) + 1)
    ]
    names = [dict(id=k, name=category) for k, category in enumerate(categories, 1)]
    content = dict(images=[image], annotations=objects, categories=names)
    (folder / f"{name}.json").write_text(json.dumps(content))


def write_vocabulary(config) -> None:
    """Write the vocabulary of a config, as `prepare` would with a teacher."""
    step = config.prepare.vocabulary
    names = ("cat", "dog", "hamster", "parrot", "ferret")
    names = names if "parrot" in step["names"] else names[:3]
    is_base = torch.tensor([name not in step.split for name in names])
    Vocabulary(names, torch.eye(5)[: len(names)], is_base, TeacherId("test")).save(
        config.vocabulary
    )


@pytest.fixture
def configs(tmp_path, monkeypatch):
    """The configs of the first training and of the page's example, with data and vocabularies."""
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path, "train", ["cat", "dog", "hamster"])
    write_data(tmp_path, "new", ["parrot", "ferret"])
    assert not main.run(["init-dataset", "train.json", "--novel", "hamster", "--name", "pets"])
    text = PAGE.read_text()
    example = text.partition("test_continue_example.py loads -->\n```python\n")[2].partition("```")[
        0
    ]
    Path("configs/pets_more.py").write_text(example)
    found = [load_config(f"configs/{name}.py") for name in ("pets", "pets_more")]
    for config in found:
        write_vocabulary(config)
    return found


def test_each_file_labels_its_own_names(configs):
    _, config = configs
    joined = config.train_dataloader.dataset
    parts = [dict(part, pipeline=[]) for part in joined.datasets]
    dataset = DATASETS.build(dict(joined, datasets=parts))
    labels = [[i["bbox_label"] for i in dataset.get_data_info(n)["instances"]] for n in range(2)]
    assert labels == [[3, 4], [0, 1]]
    assert training_images(config)[0].path.endswith("new.png")
    sampler = DATA_SAMPLERS.build(
        config.train_dataloader.sampler, default_args=dict(dataset=dataset)
    )
    stream = iter(sampler)
    assert [next(stream) for _ in range(4)] == [0, 1, 0, 1]
    stores = [
        [step["store"] for step in part.pipeline if step["type"] == "LoadTeacherRegions"]
        for part in joined.datasets
    ]
    assert stores == [[config.prepare.regions.path], [config.regions]] and stores[0] != stores[1]


def test_the_proposal_network_of_the_first_training_is_taken(configs):
    first, config = configs
    checkpoint = Path(first.prepare.proposals.checkpoint)
    assert Path(config.prepare.proposals.checkpoint) == checkpoint
    checkpoint.write_bytes(b"weights")
    write_note(checkpoint, training_origin(first, proposal_network(first)))
    assert run_step(config, "proposals", proposal_differences) == []
    # with the new vocabulary it would be one that has not seen all base classes
    config.prepare.proposals.options.pop("vocabulary")
    assert "ferret" in str(run_step(config, "proposals", proposal_differences))
