"""A teacher is known by its files, maps and adapters, wherever they are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.embedding_map import EmbeddingMap
from ovdistill.core.teacher_id import TeacherId
from ovdistill.extraction.teacher_origin import teacher_origin
from ovdistill.store.meta import TEACHER_CHANGES, TEACHER_FILES
from ovdistill.teacher import ClipAdapter, NamedAdapter, write_adapter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEACHER_DIR, tmp_path / "teacher"))


def write_map(path: Path, value: float) -> str:
    tensors = {"image_bias": torch.full((4,), value)}
    EmbeddingMap("centred", TeacherId("t"), 0.01, tensors).save(path)
    return str(path)


def test_a_folder_is_known_by_its_content(folder: Path, tmp_path: Path) -> None:
    before = teacher_origin(dict(model=str(folder)))
    assert {*before} == {TEACHER_FILES}
    moved = shutil.move(folder, tmp_path / "elsewhere")
    assert teacher_origin(dict(model=f"local-dir:{moved}", precision="bf16")) == before
    (Path(moved) / "adaptation.md").write_text("a report")
    assert teacher_origin(dict(model=moved)) == before
    for name in ("open_clip_config.json", "open_clip_model.safetensors", "bpe.txt.gz"):
        path = Path(moved) / name
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert teacher_origin(dict(model=moved)) != before
        path.write_bytes(content)
    assert teacher_origin(dict(model=moved)) == before


def test_a_file_of_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"weights")
    before = teacher_origin(dict(model="ViT-B-32", pretrained=str(path)))
    assert {*before} == {TEACHER_FILES}
    other = shutil.copy(path, tmp_path / "copy.pt")
    assert teacher_origin(dict(model="ViT-B-32", pretrained=f"openai={other}")) == before
    path.write_bytes(b"others!")
    assert teacher_origin(dict(model="ViT-B-32", pretrained=str(path))) != before


@pytest.mark.parametrize(
    "options",
    [
        dict(model="ovshapes"),
        dict(model="ovshapes", embedding_map="ovshapes-plain"),
        dict(model="ViT-B-32", pretrained="openai"),
        dict(model="hf-hub:org/repo", crops=dict(scales=[1.0])),
        dict(model="no/such/folder"),
        dict(model=str(TEACHER_DIR), random_weights=True),
        dict(model="ovshapes", embedding_map="gone.safetensors", adapter=["gone.safetensors"]),
        dict(type="Own"),
    ],
)
def test_what_has_no_files_has_no_digest(options: dict[str, Any]) -> None:
    assert teacher_origin(options) == {}


def test_maps_and_adapters(tmp_path: Path) -> None:
    """Two maps of one name differ; copies and another order do not."""
    first, second = write_map(tmp_path / "a", 0.1), write_map(tmp_path / "b", 0.2)
    one = teacher_origin(dict(embedding_map=first))
    assert {*one} == {TEACHER_CHANGES}
    assert one != teacher_origin(dict(embedding_map=second))
    assert one == teacher_origin(dict(embedding_map=[Path(shutil.copy(first, tmp_path / "c"))]))
    both = teacher_origin(dict(embedding_map=[first, second]))
    assert both == teacher_origin(dict(embedding_map=[second, first])) != one
    adapter = NamedAdapter("adapter", TeacherId("t"), ClipAdapter(4))
    write_adapter(tmp_path / "d", adapter)
    more = teacher_origin(dict(embedding_map=first, adapter=str(tmp_path / "d")))
    assert more != one and len(more[TEACHER_CHANGES].split()) == 2
    write_map(tmp_path / "a", 0.3)
    assert one != teacher_origin(dict(embedding_map=first))
