"""Bad images of a training are skipped up to a limit, each counted once."""

from __future__ import annotations

import gc
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from torch.utils.data import DataLoader

from ovdistill.core.errors import UserError, run_tool
from ovdistill.core.images import write_image
from ovdistill.datasets.bad_images import NAME, BadImages, allow_bad_images
from ovdistill.datasets.transforms import load_image
from ovdistill.datasets.transforms.load_image import LoadImage


def test_an_image_counts_once(tmp_path: Path) -> None:
    listed = BadImages(tmp_path / NAME, limit=2)
    for image in ("a.png", "b\n.png", "a.png", "b\n.png"):
        listed.add(image, "damaged")
    assert listed.problems() == {"a.png": "damaged", "b\\n.png": "damaged"}
    assert listed.path.read_text().count("\n") == 2
    with pytest.raises(UserError, match="c.png.*gone"):
        BadImages(tmp_path / NAME, limit=2).add("c.png", "gone")


def _add(path: Path, images: list[str]) -> None:
    for image in images:
        BadImages(path, limit=1000).add(image, "damaged")


def test_processes_share_the_list(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    images = [[f"{i % 20}.png" for i in range(start, start + 30)] for start in (0, 7, 13)]
    workers = [context.Process(target=_add, args=(tmp_path / NAME, part)) for part in images]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(BadImages(tmp_path / NAME, 0).problems()) == 20


def test_a_list_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"):
        BadImages(tmp_path / "nowhere" / NAME, 5).add("a.png", "damaged")


def test_bad_images_are_skipped_up_to_the_limit(tmp_path: Path, monkeypatch) -> None:
    write_image(tmp_path / "a.png", np.zeros((4, 6, 3), np.uint8))
    step = LoadImage(max_bad_images=1, bad_images=str(tmp_path / NAME))
    good = dict(img_path=str(tmp_path / "a.png"))
    assert step(dict(good))["img"].shape == (4, 6, 3)
    assert step(dict(good, height=6, width=4)) is None
    assert step(dict(good, height=6, width=4)) is None
    with pytest.raises(UserError, match="b.png"):
        step(dict(img_path=str(tmp_path / "b.png")))
    monkeypatch.setattr(load_image, "MOST_IN_A_ROW", 3)
    step = LoadImage(max_bad_images=9, bad_images=str(tmp_path / NAME))
    with pytest.raises(UserError, match="in a row"):
        for _ in range(3):
            step(dict(good, height=6, width=4))


def test_the_option_reaches_the_pipelines_of_the_training_only(tmp_path: Path) -> None:
    def loader() -> dict:
        inner = dict(type="OVDataset", pipeline=[dict(type="LoadImage"), dict(type="Pack")])
        return dict(dataset=dict(type="RepeatDataset", dataset=inner))

    config = Config(dict(train_dataloader=loader(), test_dataloader=loader()))
    listed = allow_bad_images(config, str(tmp_path), 3)
    train, test = (
        config[f"{part}_dataloader"].dataset.dataset.pipeline for part in ("train", "test")
    )
    assert train[0] == dict(type="LoadImage", max_bad_images=3, bad_images=str(listed.path))
    assert "max_bad_images" not in test[0]


class Few(BaseDataset):
    """Four images, of which the second is damaged."""

    def load_data_list(self) -> list[dict]:
        return [dict(img_path=f"{self.data_root}/{i}.png", height=4, width=6) for i in range(4)]


@pytest.mark.parametrize("limit", [1, 0])
def test_workers_of_a_training(tmp_path: Path, capsys, limit: int) -> None:
    for i in range(4):
        write_image(tmp_path / f"{i}.png", np.full((4, 6, 3), i, np.uint8))
    (tmp_path / "1.png").write_bytes(b"damaged")
    config = dict(dataset=dict(pipeline=[dict(type="LoadImage")]))
    listed = allow_bad_images(dict(train_dataloader=config), str(tmp_path), limit)
    data = Few(
        data_root=str(tmp_path),
        pipeline=[LoadImage(**{k: v for k, v in _step(config).items() if k != "type"})],
    )
    loader = DataLoader(data, batch_size=2, num_workers=2, collate_fn=list)
    if limit:
        seen = [item["img"][0, 0, 0] for _ in range(2) for batch in loader for item in batch]
        assert len(seen) == 8 and 1 not in seen
        assert list(listed.problems()) == [f"{tmp_path}/1.png"]
        return
    with pytest.raises(SystemExit) as stopped:
        run_tool(lambda: len(list(loader)))
    printed = capsys.readouterr().err
    assert stopped.value.code == 2 and "1.png" in printed and len(printed.splitlines()) == 1
    del stopped
    gc.collect()  # the loader in the traceback, whose workers would make others wait


def _step(config: dict) -> dict:
    return config["dataset"]["pipeline"][0]
