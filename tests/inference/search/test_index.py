"""An index is written once, goes on where it stopped, grows, and answers texts and examples."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.ops import box_iou

from ovdistill.commands.index import say
from ovdistill.commands.main import run as run_command
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.detector import Detector
from ovdistill.inference.pretrained import DetectorFiles
from ovdistill.inference.search import write_index as module
from ovdistill.inference.search.index import Hit, Index
from ovdistill.inference.search.queries import Query, query_of_example
from ovdistill.inference.search.write_index import IndexReport, write_index
from ovdistill.store import index_files as files
from ovdistill.vocabulary import Vocabulary

from ...stand_in import CONFIG, TextsByLength, save_untrained
from ..locked_folders import lock

SIZE = 150, 90  # of an image: width and height, not those of the network's input


class OtherTexts(TextsByLength):
    id = TeacherId("other:random", "fedcba9876543210")


@pytest.fixture(scope="module")
def detector(tmp_path_factory) -> Detector:
    folder = tmp_path_factory.mktemp("student")
    known = Vocabulary.encode(["star", "hexagon"], TextsByLength(), ("{}",))
    known.save(folder / "vocabulary.safetensors")
    weights = save_untrained(folder)
    own = DetectorFiles(CONFIG, weights, folder / "vocabulary.safetensors")
    return Detector(own, device="cpu", teacher=TextsByLength())


def draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (*SIZE[::-1], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(3):
        draw(tmp_path / "photos" / f"{number}.png", number)
    return tmp_path / "photos"


Write = Callable[..., IndexReport]


@pytest.fixture
def write(photos: Path, tmp_path: Path, detector: Detector) -> Write:
    def run(folder: str = "index", images: object = photos, **options) -> IndexReport:
        return write_index(
            images, tmp_path / folder, detector, "student", **{"regions": 4, **options}
        )

    return run


def contents(folder: Path) -> dict[str, bytes]:
    names = ("verified.json",)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in names
    }


def test_a_search_ranks_the_regions_of_all_images(write: Write, tmp_path, detector) -> None:
    report = write(batch_size=2)
    index = Index.open(tmp_path / "index", detector=detector)
    assert len(index) == report.regions > 0 and index.images == report.images == 3
    hits = index.search("star", len(index), overlapping=True)
    assert [hit.rank for hit in hits] == list(range(1, len(index) + 1))
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    for hit in hits:
        left, top, right, bottom = hit.box
        assert 0 <= left < right <= SIZE[0] and 0 <= top < bottom <= SIZE[1]
        assert 0 < hit.objectness < 1 and hit.state == "as indexed"
    assert {Path(hit.image).name for hit in hits} == {"0.png", "1.png", "2.png"}
    assert max(hit.box[2] for hit in hits) > 128  # the network saw 128 pixels of width
    assert len(index.search("star", 1000, overlapping=True)) == len(index)


def test_of_regions_that_overlap_the_best_is_found(write: Write, tmp_path, detector) -> None:
    write(regions=20)
    index = Index.open(tmp_path / "index", detector=detector)
    every = index.search("star", len(index), overlapping=True)
    expected: list[Hit] = []
    for hit in every:
        better = [other for other in expected if other.image == hit.image]
        boxes = torch.tensor([other.box for other in better]).reshape(-1, 4)
        if not (box_iou(torch.tensor([hit.box]), boxes) > 0.5).any():
            expected.append(replace(hit, rank=len(expected) + 1))
    assert len(expected) < len(every)
    for k in (1, 2, 5, len(expected) - 1, len(expected), len(index)):
        assert index.search("star", k) == expected[:k]


def test_the_scores_are_cosines_with_the_detectors_texts(write: Write, tmp_path, detector) -> None:
    write()
    index = Index.open(tmp_path / "index", detector=detector)
    both = index.search({"star": ["a long phrase", "A_long phrase."]}, 100)
    everything = [index.search(text, 100, overlapping=True) for text in PHRASES]
    singles = [{(hit.image, hit.box): hit.score for hit in hits} for hits in everything]
    for hit in both:
        scores = [found[hit.image, hit.box] for found in singles]
        assert hit.score == max(scores)
        assert hit.name == PHRASES[int(np.argmax(scores))]


PHRASES = ("star", "a long phrase")


def test_regions_are_apart_and_at_most_as_many_as_asked_for(write, tmp_path, detector) -> None:
    write(regions=3)
    hits = Index.open(tmp_path / "index", detector=detector).search("star", 100, overlapping=True)
    for image in {hit.image for hit in hits}:
        boxes = torch.tensor([hit.box for hit in hits if hit.image == image])
        assert len(boxes) <= 3
        assert (box_iou(boxes, boxes).fill_diagonal_(0) <= 0.7).all()


def test_a_second_run_adds_what_is_new_and_what_has_changed(
    write: Write, photos, tmp_path, detector
) -> None:
    write()
    again = write()
    assert (again.known, again.regions) == (3, 0)
    draw(photos / "below" / "3.png", 3)
    draw(photos / "0.png", 99)
    (photos / "broken.png").write_bytes(b"no image")
    index = Index.open(tmp_path / "index", detector=detector)
    assert {hit.state for hit in index.search("star", 99) if hit.image.endswith("0.png")} == {
        "changed"
    }
    report = write()
    assert (report.images, report.known, report.changed) == (5, 2, 1)
    assert [file for file, _ in report.skipped] == ["broken.png"]
    grown = Index.open(tmp_path / "index", detector=detector)
    assert grown.images == 5
    hits = grown.search("star", 999, overlapping=True)
    assert {hit.state for hit in hits} == {"as indexed"} and len(hits) == len(grown)
    write("fresh")
    fresh = Index.open(tmp_path / "fresh", detector=detector)
    assert {(h.image, h.box) for h in hits} == {
        (h.image, h.box) for h in fresh.search("star", 999, overlapping=True)
    }


def test_what_could_not_be_read_is_tried_again(
    write: Write, photos, tmp_path, monkeypatch, detector
) -> None:
    (photos / "broken.png").write_bytes(b"no image")
    real = module.read_image

    def refuse(path: Path) -> np.ndarray:
        if path.name == "1.png":
            raise ImageError(path, "cannot be read: permission denied")
        return real(path)

    monkeypatch.setattr(module, "read_image", refuse)
    assert {file for file, _ in write().skipped} == {"broken.png", "1.png"}
    monkeypatch.setattr(module, "read_image", real)
    report = write()
    assert (report.known, report.changed) == (3, 1)
    assert [file for file, _ in report.skipped] == ["broken.png"]
    files_found = {Path(hit.image).name for hit in open_and_search(tmp_path, detector)}
    assert files_found == {"0.png", "1.png", "2.png"}
    parts = files.count_parts(tmp_path / "index")
    report = write()  # what is as it was adds no part, and is listed again
    assert (report.known, len(report.skipped), report.regions) == (4, 1, 0)
    assert files.count_parts(tmp_path / "index") == parts
    assert not write(images=photos / "0.png").skipped  # of another image nobody asked


def open_and_search(tmp_path: Path, detector: Detector) -> list[Hit]:
    return Index.open(tmp_path / "index", detector=detector).search("star", 999)


def test_images_that_are_gone_are_counted_and_left_out(
    write: Write, photos, tmp_path, detector
) -> None:
    draw(photos / "below" / "3.png", 3)
    assert write().gone == 0
    index = Index.open(tmp_path / "index", detector=detector)
    everything = index.search("star", 999)
    (photos / "0.png").unlink()
    shutil.rmtree(photos / "below")
    assert write().gone == 2
    left = [hit for hit in everything if Path(hit.image).name in ("1.png", "2.png")]
    for _ in range(2):  # the second time, what is gone is known
        for k in (1, 4, len(left), 999):
            hits = index.search("star", k)
            assert hits == [replace(h, rank=i) for i, h in enumerate(left[:k], start=1)]
        assert index.gone == 2
    again = index.search("star", 999, missing=True)
    assert [(h.image, h.box) for h in again] == [(h.image, h.box) for h in everything]
    assert {Path(h.image).name for h in again if h.state == "missing"} == {"0.png", "3.png"}
    (photos / "1.png").unlink()
    (photos / "2.png").unlink()
    assert index.search("star") == []


def test_the_command_says_how_many_are_gone(write: Write, photos, tmp_path, capsys) -> None:
    write()
    (photos / "0.png").unlink()
    assert say(write(), tmp_path / "index") == 0
    assert "1 images of the index are not there any more" in capsys.readouterr().out


def test_a_folder_that_cannot_be_listed_is_named(
    write: Write, photos, tmp_path, monkeypatch, capsys
) -> None:
    draw(photos / "locked" / "3.png", 3)
    lock(monkeypatch)
    report = write()
    assert (report.images, [path for path, _ in report.skipped]) == (3, [str(photos / "locked")])
    assert say(report, tmp_path / "index") == 1 and "locked" in capsys.readouterr().err
    monkeypatch.undo()
    assert (write().images, write().skipped) == (4, ())


def test_an_interrupted_run_goes_on(write: Write, tmp_path, monkeypatch, detector) -> None:
    monkeypatch.setattr(module, "IMAGES_PER_SHARD", 1)
    write("whole")
    real = module.write_shard

    def stop_at_the_second(folder, number, *rest):
        if number == 1:
            raise KeyboardInterrupt
        return real(folder, number, *rest)

    monkeypatch.setattr(module, "write_shard", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        write()
    with pytest.raises(UserError, match="not finished"):
        Index.open(tmp_path / "index")
    monkeypatch.setattr(module, "write_shard", real)
    report = write()
    assert (report.resumed, report.known) == (3, 3)
    (tmp_path / "index" / "running.lock").unlink(missing_ok=True)
    assert contents(tmp_path / "index") == contents(tmp_path / "whole")


def test_an_index_of_another_detector_or_with_other_options(write: Write, tmp_path) -> None:
    write()
    with pytest.raises(UserError, match="regions: 4 there, 5 now"):
        write(regions=5)
    header = tmp_path / "index" / files.HEADER
    content = json.loads(header.read_text())
    header.write_text(json.dumps({**content, "detector_hash": "0" * 16}))
    with pytest.raises(UserError, match="detector_hash"):
        write()


def test_what_is_no_index(write: Write, photos, tmp_path) -> None:
    with pytest.raises(UserError, match="not empty"):
        write("photos")
    assert sorted(path.name for path in photos.iterdir()) == ["0.png", "1.png", "2.png"]
    with pytest.raises(UserError, match="no images"):
        write(images=[])
    with pytest.raises(UserError, match="no index"):
        Index.open(photos)
    with pytest.raises(UserError, match="image"):
        write(images=np.zeros((9, 9, 3), np.uint8))
    write()
    header = tmp_path / "index" / files.HEADER
    header.write_text(header.read_text().replace(files.FORMAT, "ovdistill-index-9"))
    with pytest.raises(UserError, match="ovdistill-index-9"):
        Index.open(tmp_path / "index")


def test_a_text_of_another_teacher(write: Write, tmp_path, detector) -> None:
    write()
    other = Detector(detector.files, device="cpu", teacher=OtherTexts())
    index = Index.open(tmp_path / "index", detector=other)
    with pytest.raises(UserError, match="other:random"):
        index.search("star")
    vocabulary = Vocabulary.encode(["star"], OtherTexts(), ("{}",))
    with pytest.raises(UserError, match="other:random"):
        index.search(vocabulary)


def test_bad_searches(write: Write, tmp_path, detector) -> None:
    write()
    index = Index.open(tmp_path / "index", detector=detector)
    with pytest.raises(UserError, match="k = 0"):
        index.search("star", 0)


def test_negatives_are_ignored_and_that_is_said(write: Write, tmp_path, detector, caplog) -> None:
    write()
    index = Index.open(tmp_path / "index", detector=detector)
    names = tmp_path / "names.yaml"
    names.write_text("names: {star: }\nnegatives: [cushion]\n")
    assert index.search(str(names)) == index.search("star")
    assert [record for record in caplog.records if "cushion" in record.getMessage()]


def test_an_index_without_a_region(tmp_path, photos, write: Write) -> None:
    (photos / "broken.png").write_bytes(b"no image")
    report = write(images=photos / "broken.png")
    assert report.regions == 0 and len(report.skipped) == 1
    with pytest.raises(UserError, match="no region"):
        Index.open(tmp_path / "index")


def test_images_that_were_moved(write: Write, photos, tmp_path, detector) -> None:
    write()
    shutil.move(photos, tmp_path / "moved")
    index = Index.open(tmp_path / "index", detector=detector)
    assert {hit.state for hit in index.search("star", missing=True)} == {"missing"}
    moved = Index.open(tmp_path / "index", tmp_path / "moved", detector)
    assert {hit.state for hit in moved.search("star")} == {"as indexed"}


def test_a_region_is_most_like_itself(write: Write, photos, tmp_path, detector) -> None:
    write()
    index = Index.open(tmp_path / "index", detector=detector)
    best = max(index.search("star", 999), key=lambda hit: (hit.image, hit.objectness))
    found = index.search_like(best.image, k=1)[0]
    assert found.image == best.image and found.box == pytest.approx(best.box, abs=0.01)
    assert found.score > 0.9999
    pixels = np.asarray(Image.open(best.image))
    assert query_of_example(pixels, None, detector, index.header)[1] == best.box
    assert index.search_like(best.image, (10, 10, 90, 60), 1)[0].score <= 1
    with pytest.raises(UserError, match="200,10,300,60"):
        index.search_like(best.image, (200, 10, 300, 60))


def test_an_example_needs_the_detector_of_the_index(write, photos, tmp_path, detector) -> None:
    write()
    header = tmp_path / "index" / files.HEADER
    content = json.loads(header.read_text())
    header.write_text(json.dumps({**content, "detector_hash": "0" * 16}))
    index = Index.open(tmp_path / "index", detector=detector)
    with pytest.raises(UserError, match="0000000000000000"):
        index.search_like(photos / "0.png")


def test_a_detector_whose_class_names_are_lost(write: Write, photos, tmp_path, detector) -> None:
    files_alone = DetectorFiles(CONFIG, detector.files.weights)
    unknown = Detector(
        files_alone, device="cpu", teacher=TextsByLength(), overrides={"vocabulary": "none"}
    )
    with pytest.raises(UserError, match="class names"):
        write_index(photos, tmp_path / "index", unknown, "student")


def test_an_index_of_the_first_version_is_searched(tmp_path) -> None:
    formats = Path(__file__).parents[2] / "data" / "formats"
    index = Index.open(shutil.copytree(formats / "index", tmp_path / "index"))
    assert (len(index), index.images) == (1, 2)  # the second part has the first image anew
    query = Query(("any",), torch.tensor([[0.0, 0, -0.8, 0.6]]))
    (hit,) = index.find(query, missing=True)
    assert hit.image == "/photos/a.png" and hit.box == (3, 4, 5, 6) and hit.objectness == 1
    assert hit.score == pytest.approx(1, abs=1e-3)


def test_an_index_that_names_itself_as_its_detector_runs_nothing(tmp_path, monkeypatch) -> None:
    formats = Path(__file__).parents[2] / "data" / "formats"
    folder = shutil.copytree(formats / "index", tmp_path / "index")
    content = json.loads((folder / files.HEADER).read_text())
    (folder / files.HEADER).write_text(json.dumps({**content, "model": "index"}))
    (folder / "last.pth").write_bytes(b"")
    (folder / "config.py").write_text("raise SystemExit('the code of a stranger ran')")
    monkeypatch.chdir(tmp_path)
    for search in (
        lambda: Index.open(folder).search("star"),  # as the app does
        lambda: run_command(["search", "index", "star", "--device", "cpu"]),
    ):
        with pytest.raises(UserError, match="names cannot be taken: .* --model DETECTOR"):
            search()
