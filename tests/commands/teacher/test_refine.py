"""What `ovdistill teacher refine` learns from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ovdistill.commands.teacher.refine import RefineOptions, find_source
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store import Regions, write_store
from ovdistill.store.stored_image import StoredImage

TEACHER = TeacherId("tiny", "0123456789abcdef")


@pytest.mark.parametrize(("name", "fits"), [("3.png", True), ("4.png", False)])
def test_a_store_must_be_of_the_images_that_its_ids_name(
    tmp_path: Path, name: str, *, fits: bool
) -> None:
    image = dict(id=3, file_name="folder/3.png", height=20, width=30)
    (tmp_path / "a.json").write_text(
        json.dumps(dict(images=[image], annotations=[], categories=[dict(id=1, name="x")]))
    )
    regions = Regions(torch.tensor([[0.0, 0, 9, 9]]), torch.ones(1), torch.eye(4)[:1])
    header = TEACHER.to_header()
    write_store(tmp_path / "store", [(3, regions)], header, images={3: StoredImage(name, 20, 30)})
    options = RefineOptions(
        teacher="tiny",
        images=tmp_path,
        regions=tmp_path / "store",
        annotations=tmp_path / "a.json",
        out=tmp_path / "out",
    )
    if fits:
        assert len(find_source(options, TEACHER)) == 1
        return
    with pytest.raises(UserError, match=r"a\.json: 1 of 1 images .* id 3 was '4\.png'"):
        find_source(options, TEACHER)
