"""What `ovdistill teacher refine` learns from, alone in its folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from ovdistill.commands import main
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


def test_the_weights_that_are_refined_stay(tmp_path: Path) -> None:
    """A folder of weights alone is no teacher, but what the teacher is made of."""
    Image.new("RGB", (40, 30)).save(tmp_path / "1.png")
    weights = tmp_path / "own" / "open_clip_model.safetensors"
    weights.parent.mkdir()
    weights.touch()
    words = ["--teacher", f"RN50:{weights}", "--images", str(tmp_path), "-o", str(weights.parent)]
    with pytest.raises(UserError, match="own would replace .*of which the teacher is made"):
        main.run(["teacher", "refine", *words])


@pytest.mark.parametrize("teacher", ["{}/base", "RN50:{}/w.pt"])
def test_what_is_not_written_may_lie_in_the_folder(tmp_path: Path, teacher: str) -> None:
    """The run ends at the teacher's weights, of which there are none, and not at -o."""
    Image.new("RGB", (40, 30)).save(tmp_path / "1.png")
    (tmp_path / "run" / "base").mkdir(parents=True)
    (tmp_path / "run" / "base" / "open_clip_config.json").write_text("{}")
    (tmp_path / "run" / "w.pt").touch()
    words = ["--teacher", teacher.format(tmp_path / "run"), "--images", str(tmp_path)]
    with pytest.raises(UserError, match="no weights|weights .* do not load"):
        main.run(["teacher", "refine", *words, "-o", str(tmp_path / "run"), "--device", "cpu"])


def test_the_list_of_images_stays(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "1.png")
    (tmp_path / "provenance.json").write_text("{}")
    words = ["--regions", str(tmp_path), "--annotations", str(tmp_path / "provenance.json")]
    words += ["--teacher", "ovshapes-plain", "--images", str(tmp_path), "-o", str(tmp_path)]
    with pytest.raises(UserError, match=r"would replace .*provenance\.json, which lists"):
        main.run(["teacher", "refine", *words])


def test_one_refinement_at_a_time(tmp_path: Path) -> None:
    """Another process has the folder; nothing of it is touched."""
    Image.new("RGB", (40, 30)).save(tmp_path / "1.png")
    out = tmp_path / "out"
    holder = (
        "import sys, time; from ovdistill.core.locks import folder_lock\n"
        "with folder_lock(sys.argv[1], 'x'): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holder, str(out)]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        words = ["--teacher", "ovshapes-plain", "--images", str(tmp_path), "-o", str(out)]
        with pytest.raises(UserError, match="a refinement in .*out is going on already"):
            main.run(["teacher", "refine", *words, "--steps", "1", "--device", "cpu"])
        process.communicate()
    assert not [*out.iterdir()]
