"""Filling a store: the right embeddings, whatever happens on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.extraction.extract import ExtractionSettings, extract
from ovdistill.extraction.images import ImageFile, load_image
from ovdistill.extraction.proposals import FileProposals, GridProposals
from ovdistill.store import TeacherStore
from ovdistill.store.maintenance import verify
from ovdistill.store.plan import SECONDS_TO_WRITE
from ovdistill.store.same_images import image_changes
from ovdistill.store.stored_image import StoredImage
from ovdistill.teacher import DenseRegions, OpenCLIPTeacher

ROOT = Path(__file__).parents[2]
IMAGES = 30
OPTIONS = ExtractionSettings(per_image=12, images_per_shard=2, batch_size=64, workers=0)


@pytest.fixture(scope="module")
def teacher():
    return OpenCLIPTeacher("ovshapes")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Images of different sizes, and annotations that list them."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    images = []
    for number in range(IMAGES):
        width, height = 60 + number, 90 - number
        small = generator.integers(0, 256, (6, 6, 3), np.uint8)
        Image.fromarray(small).resize((width, height), Image.BICUBIC).save(folder / f"{number}.png")
        images.append(dict(id=1000 - number, file_name=f"{number}.png", height=height, width=width))
    text = json.dumps(dict(images=images, annotations=[], categories=[dict(id=1, name="x")]))
    (folder / "a.json").write_text(text)
    return folder


def files(data):
    images = json.loads((data / "a.json").read_text())["images"]
    return [
        ImageFile(i["id"], str(data / i["file_name"]), (i["height"], i["width"])) for i in images
    ]


def shards(folder):
    return {path.name: path.read_bytes() for path in Path(folder).glob("shard-*.safetensors")}


@pytest.fixture(scope="module")
def whole(data, teacher, tmp_path_factory):
    """The store of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    extract(files(data), GridProposals(12), teacher, folder, OPTIONS)
    return folder


def arguments(data, out, *more):
    return [
        "extract", "--images", data, "--annotations", data / "a.json",
        "--teacher", "ovshapes-plain",
        "--proposals", "grid", "--per-image", 12, "--shard-images", 2, "--batch-size", 64,
        "--workers", 0, "--device", "cpu", "--offline", "-o", out, *more,
    ]  # fmt: skip


def start(*words, launcher=(), **options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *launcher, "-m", "ovdistill", *map(str, words)]
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def test_a_store_holds_the_teachers_embeddings_of_its_boxes(data, teacher, whole):
    verify(whole)
    store = TeacherStore(whole)
    assert store.image_ids == [file.image_id for file in files(data)]
    for file in files(data)[::7]:
        regions = store[file.image_id]
        expected = teacher.encode_regions(load_image(file).pixels, regions.boxes)
        cosine = (regions.embeddings.float() * expected).sum(1)
        assert len(cosine) == 12 and cosine.min() > 0.9999
    sizes = {f.image_id: StoredImage.of_file(f.path, f.size) for f in files(data)}
    assert image_changes(store, sizes) == ""
    other = sizes | {1000: sizes[999], 999: sizes[1000]}
    assert "2 of 30 images are other files: id 1000 was '0.png'" in image_changes(store, other)
    header = store.meta.provenance
    assert store.teacher == teacher.id
    assert (header["teacher"], header["teacher_hash"]) == teacher.id
    assert header["proposals"]["kind"] == "grid" and header["crops"]["scales"] == [1.0, 1.5]
    assert json.loads((whole / "skipped.json").read_text()) == []


def test_regions_from_one_pass_over_their_image(data, tmp_path):
    dense = OpenCLIPTeacher("ovshapes", crops=dict(mode="dense", size=96))
    own = files(data)[:5]
    out, again = tmp_path / "store", tmp_path / "again"
    extract(own, GridProposals(12), dense, out, OPTIONS)
    store = TeacherStore(out)
    for file in own:
        regions = store[file.image_id]
        expected = dense.encode_regions(load_image(file).pixels, regions.boxes)
        cosine = (regions.embeddings.float() * expected).sum(1)
        assert len(cosine) == 12 and cosine.min() > 0.9995
    assert store.meta.provenance["crops"] == dict(mode="dense", size=96)
    # what was cut off in between ends with the same bytes
    extract(own, GridProposals(12), dense, again, OPTIONS)
    (again / "shard-00001.safetensors").unlink()
    extract(own, GridProposals(12), dense, again, OPTIONS)
    assert shards(again) == shards(out)
    # and no store mixes the two ways
    for other in (OpenCLIPTeacher("ovshapes"), OpenCLIPTeacher("ovshapes", crops=DenseRegions(64))):
        with pytest.raises(UserError, match="crops: {'mode': 'dense', 'size': 96} there"):
            extract(own, GridProposals(12), other, out, OPTIONS)


def test_bad_images_and_boxes_are_recorded_and_the_run_goes_on(data, teacher, tmp_path):
    own = files(data)[:4]
    (tmp_path / "cut.png").write_bytes(Path(own[0].path).read_bytes()[:200])
    own[0] = ImageFile(own[0].image_id, str(tmp_path / "cut.png"), own[0].size)
    own[1] = ImageFile(own[1].image_id, str(tmp_path / "none.png"), own[1].size)

    class Odd(GridProposals):
        def propose(self, images):
            (boxes, scores), *rest = super().propose(images)
            boxes[0, 2] = boxes[0, 0]
            boxes[1] += 10_000
            return [(boxes, scores), *rest]

    meta = extract(own, Odd(12), teacher, tmp_path / "store", OPTIONS)
    assert meta.counts == dict(pictures=2, regions=22, skipped=2, empty=0)
    records = json.loads((tmp_path / "store" / "skipped.json").read_text())
    assert [(r["image_id"], r["whole"]) for r in records] == [
        (1000, True), (999, True), (998, False)
    ]  # fmt: skip
    assert records[0]["reason"] and "no such file" in records[1]["reason"]
    assert "2 of 12 boxes" in records[2]["reason"]
    verify(tmp_path / "store")


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_and_ends_the_same(data, whole, tmp_path):
    out, chance = tmp_path / "store", random.Random(0)
    for count in (1, 4, 9):
        process = start(*arguments(data, out))
        while len(list(out.glob("shard-*.safetensors"))) < count and process.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.15)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        there = shards(out)
        assert process.returncode == -signal.SIGKILL and len(there) < IMAGES // 2
        for name, content in there.items():
            if name.endswith(".safetensors"):  # complete, or not there at all
                assert content == (whole / name).read_bytes()
        with pytest.raises(UserError, match="not complete"):
            TeacherStore(out)
    left = out / "shard-00014.safetensors.tmp"
    left.write_bytes(b"of a killed process")
    before = time.time() - 2 * SECONDS_TO_WRITE
    os.utime(left, (before, before))
    process = start(*arguments(data, out))
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "360 regions, 0 skipped" in output and not left.exists()
    assert shards(out) == shards(whole)
    assert (out / "meta.json").read_bytes() == (whole / "meta.json").read_bytes()


@pytest.mark.slow
def test_two_processes_share_the_work(data, whole, tmp_path):
    torchrun = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "0")
    process = start(*arguments(data, tmp_path / "s", "--launcher", "pytorch"), launcher=torchrun)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert shards(tmp_path / "s") == shards(whole)
    assert (tmp_path / "s" / "meta.json").read_bytes() == (whole / "meta.json").read_bytes()


def test_what_a_dead_process_left_is_done_by_any_later_run(data, teacher, whole, tmp_path):
    first = ExtractionSettings(**{**vars(OPTIONS), "rank": 0, "world_size": 2})
    out = tmp_path / "store"
    assert extract(files(data), GridProposals(12), teacher, out, first).counts == {}
    assert len(shards(out)) == 8  # the even ones of 15
    assert extract(files(data), GridProposals(12), teacher, out, OPTIONS).counts["pictures"] == 30
    assert shards(out) == shards(whole)


def test_two_runs_on_one_store(data, teacher, whole, tmp_path):
    """The second finds shards that the first has made since; none is made twice."""
    asked = []

    class Watched(GridProposals):
        def propose(self, images):
            if not asked:  # a whole other run, while this one has just begun
                extract(files(data), GridProposals(12), teacher, tmp_path / "s", OPTIONS)
            asked.extend(image.file.image_id for image in images)
            return super().propose(images)

    meta = extract(files(data), Watched(12), teacher, tmp_path / "s", OPTIONS)
    assert asked == [1000, 999] and meta.counts["pictures"] == 30
    assert shards(tmp_path / "s") == shards(whole)


def test_the_same_boxes_under_another_path(data, teacher, tmp_path, monkeypatch):
    rows = [dict(image_id=file.image_id, bbox=[1, 2, 30, 20]) for file in files(data)[:4]]
    (tmp_path / "boxes.json").write_text(json.dumps(rows))
    out = tmp_path / "store"
    before = extract(files(data)[:4], FileProposals(tmp_path / "boxes.json"), teacher, out, OPTIONS)
    (out / "shard-00001.safetensors").unlink()
    monkeypatch.chdir(tmp_path)
    assert extract(files(data)[:4], FileProposals("boxes.json"), teacher, out, OPTIONS) == before
    verify(out)


def test_a_store_that_was_begun_differently(data, teacher, whole):
    before = shards(whole)
    other = ExtractionSettings(**{**vars(OPTIONS), "min_size": 3.0})
    with pytest.raises(UserError, match=r"min_size: 0.0 there, 3.0 now"):
        extract(files(data), GridProposals(12), teacher, whole, other)
    with pytest.raises(UserError, match="proposals: .*12 boxes.* there, .*11 boxes"):
        extract(files(data), GridProposals(11), teacher, whole, OPTIONS)
    assert shards(whole) == before


def test_bad_lists_of_images(data, teacher, tmp_path):
    with pytest.raises(UserError, match="no images"):
        extract([], GridProposals(12), teacher, tmp_path / "s", OPTIONS)
    with pytest.raises(UserError, match="image id 1000"):
        extract(files(data)[:1] * 2, GridProposals(12), teacher, tmp_path / "s", OPTIONS)
    elsewhere = [ImageFile(1, "none.png"), ImageFile(2, "none too.png")]
    with pytest.raises(UserError, match=r"none\.png.*--images.*data_root=DIR"):
        extract(elsewhere, GridProposals(12), teacher, tmp_path / "s", OPTIONS)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("")
    with pytest.raises(UserError, match="full"):
        extract(files(data), GridProposals(12), teacher, tmp_path / "full", OPTIONS)


def test_a_full_disk_is_one_clear_error_and_loses_nothing(data, whole, tmp_path, monkeypatch):
    import resource

    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # its file would not fit either

    def small_files():  # as a full disk: writing fails in the middle of a shard
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    process = start(*arguments(data, tmp_path / "s"), preexec_fn=small_files)
    output, _ = process.communicate()
    assert process.returncode == 2, output
    assert "cannot write" in output and "no space" in output and "Traceback" not in output
    assert not list((tmp_path / "s").glob("*.tmp"))
