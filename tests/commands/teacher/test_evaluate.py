"""`ovdistill teacher evaluate` on a few images of OVShapes, and what is refused."""

import json
import shutil

import pytest
import torch

from ovdistill.commands import main
from ovdistill.commands.teacher_options import SHIPPED
from ovdistill.core.errors import UserError
from ovdistill.core.files import sha256_of
from ovdistill.datasets.annotations import read_annotations
from ovdistill.evaluation.regions.objects import draw_images
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.store import Regions, write_store
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary

HEARTS = "solid heart, striped heart, dotted heart, checkered heart, outlined heart"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_ovshapes(tmp_path_factory.mktemp("shapes"), train=1, val=16, test=1, workers=1)


@pytest.fixture(scope="module")
def own(root):
    """The words for the val images without a config."""
    annotations = root / "annotations" / "instances_val.json"
    return ["--teacher", "ovshapes", "--annotations", annotations, "--images", root / "images"]


def evaluate(*words):
    return main.run(["teacher", "evaluate", *map(str, words), "--workers", "0"])


def measured(folder):
    return json.loads((folder / "teacher.json").read_text())


def test_by_a_config(root, tmp_path, capsys):
    captions = root / "annotations" / "captions_val.json"
    before = {*root.rglob("*")}
    assert not evaluate(
        *("--config", "best_r18_shapes", "--cfg-options", f"data_root={root}"),
        *("--captions", captions, "-o", tmp_path),
    )
    assert {*root.rglob("*")} == before  # nothing is made beside the data
    found, figures = measured(tmp_path), measured(tmp_path)["figures"]
    truth = read_annotations(root / "annotations" / "instances_val.json")
    count = len(truth.annotations)
    assert (figures["images"], figures["objects"]) == (16, count)
    assert (figures["names"], figures["novel_names"]) == (65, 15)
    assert len(figures["crops"]) == 6
    zero_shot = figures["crops"][0]["zero_shot"]
    assert zero_shot["everything"]["top1"]["count"] == count
    assert zero_shot["everything"]["top1"]["share"] > 0.9
    assert zero_shot["base"]["top1"]["count"] + zero_shot["novel"]["top1"]["count"] == count
    assert sum(own["objects"] for own in zero_shot["classes"]) == count
    assert figures["ceilings"]["alone"]["ap50_novel"] > 90 and figures["probe"]["fitted"] > 0
    assert figures["retrieval"]["captions"] == 16
    assert figures["retrieval"]["text_to_image"][2]["share"] > 0.9
    assert found["teacher"].startswith("ovshapes-rn+clip-gap") and len(found["teacher_hash"]) == 16
    assert found["annotations_sha256"] == sha256_of(truth.path)
    assert found["captions_sha256"] == sha256_of(captions)
    assert len(found["novel"]) == 15 and found["protocol"] == "lvis"
    printed, text = capsys.readouterr().out, (tmp_path / "teacher.md").read_text()
    for shown in (f"{count} objects", "square:1+1.5", "Linear probe", "text to image", "ceiling"):
        assert shown in printed and shown in text
    assert "solid heart" not in found["remarks"][0]


def test_without_a_config(own, tmp_path):
    assert not evaluate(
        *own, "--novel", HEARTS, "--crops", "pad:1", "own", "--no-probe", "--max-images", 5,
        "--protocol", "coco", "--temperature", 0.5, "-o", tmp_path,
    )  # fmt: skip
    figures = measured(tmp_path)["figures"]
    assert [own["name"] for own in figures["crops"]] == ["pad:1", "square:1+1.5"]
    ceilings = figures["ceilings"]
    assert (figures["images"], figures["novel_names"], ceilings["temperature"]) == (5, 5, 0.5)
    assert figures["probe"] is figures["retrieval"] is ceilings["regions"] is None
    assert measured(tmp_path)["templates"] == ["a photo of {article} {}."]


def test_the_same_images_are_drawn_again(own, tmp_path):
    words = [*own, "--max-images", 12, "--crops", "own"]
    for name in ("a", "b"):
        evaluate(*words, "-o", tmp_path / name)
    assert measured(tmp_path / "a")["figures"] == measured(tmp_path / "b")["figures"]
    assert measured(tmp_path / "a")["figures"]["images"] == 12


def test_with_a_vocabulary_and_a_store(own, tmp_path, capsys):
    teacher = build_teacher(SHIPPED["ovshapes-plain"])
    found = read_annotations(own[3])
    is_base = torch.tensor(["heart" not in name for name in found.categories])
    names = Vocabulary.encode([*found.categories], teacher, ("{}",), is_base)
    names.save(tmp_path / "names")
    one = torch.nn.functional.normalize(torch.ones(1, 128), dim=1)
    regions = Regions(torch.tensor([[0.0, 0, 9, 9]]), torch.ones(1), one)
    ids = [image["id"] for image in found.images[:3]]
    store = write_store(tmp_path / "regions", [(i, regions) for i in ids], teacher.id.to_header())
    words = ["--teacher", "ovshapes-plain", *own[2:], "--vocabulary", tmp_path / "names"]
    evaluate(*words, "--regions", store, "--crops", "own", "--no-probe", "-o", tmp_path / "out")
    figures = measured(tmp_path / "out")["figures"]
    assert figures["ceilings"]["regions"]["images"] == 3
    assert figures["ceilings"]["regions"]["ceiling"]["ap_base"] == 0  # no region is on an object
    assert "regions of the store, 3 images" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"--vocabulary and --templates"):
        evaluate(*words, "--templates", "single")
    with pytest.raises(UserError, match=r"ovshapes-rn \(.*ovshapes-rn\+clip-gap"):
        evaluate(*own, "--regions", store)
    with pytest.raises(UserError, match=r"names was made by teacher ovshapes-rn \(.*clip-gap"):
        evaluate(*own, "--vocabulary", tmp_path / "names")


def store_of(folder, image_id):
    """Write a store of one image, without a region."""
    empty = Regions(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 128))
    teacher = build_teacher(SHIPPED["ovshapes"])
    return write_store(folder, [(image_id, empty)], teacher.id.to_header())


@pytest.mark.parametrize(("in_file", "message"), [(True, "of the 1 images"), (False, "of the 16")])
def test_a_store_of_other_images_is_found_first(own, root, tmp_path, in_file, message):
    ids = [image["id"] for image in read_annotations(own[3]).images]
    other = next(key for key in ids if key not in draw_images(ids, 1)) if in_file else 10**6
    images = shutil.copytree(root / "images", tmp_path / "images")
    for path in images.rglob("*.*"):
        path.write_bytes(b"")  # to embed them would be another error
    store = store_of(tmp_path / "regions", other)
    with pytest.raises(UserError, match=f"none {message}"):
        evaluate(*own[:5], images, "--max-images", 1, "--regions", store)


def test_figures_stay_where_no_image_of_the_store_can_be_read(own, root, tmp_path, caplog):
    first = read_annotations(own[3]).images[0]
    images = shutil.copytree(root / "images", tmp_path / "images")
    (images / first["file_name"]).write_bytes(b"")
    store = store_of(tmp_path / "regions", first["id"])
    words = [*own[:5], images, "--regions", store, "--crops", "own", "--no-probe"]
    evaluate(*words, "-o", tmp_path)
    assert measured(tmp_path)["figures"]["ceilings"]["regions"] is None
    assert "no image of store" in caplog.text


def test_captions_of_other_images(own, root, tmp_path, capsys):
    content = json.loads((root / "annotations" / "captions_val.json").read_text())
    first = content["annotations"][0]
    content["annotations"] = [first, first | dict(caption="a star"), first | dict(image_id=7)]
    content["annotations"].append(first | dict(caption=" "))  # which no image is asked for by
    path = tmp_path / "captions.json"
    path.write_text(json.dumps(content))
    evaluate(*own, "--captions", path, "--crops", "own", "--no-probe", "-o", tmp_path)
    found = measured(tmp_path)
    assert (found["figures"]["retrieval"]["images"], len(found["remarks"])) == (1, 3)
    assert found["figures"]["retrieval"]["captions"] == 2
    assert "1 captions of 1 images" in capsys.readouterr().out
    content["annotations"] = [first | dict(image_id=7)]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="none of the 1 images with captions"):
        evaluate(*own, "--captions", path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no teacher"),
        (["--teacher", "ovshapes"], "expected both"),
        (["--config", "vild_r18_shapes", "--images", "."], "expected both"),
        (["--config", "none"], "none"),
        (["--config", "vild_r18_shapes", "--captions", "none.json"], "--captions none.json"),
        (["--config", "vild_r18_shapes", "--regions", "none"], "--regions none"),
        (["--config", "vild_r18_shapes", "--max-images", "0"], "--max-images 0"),
        (
            "--config vild_r18_shapes --annotations a --images . --subset test".split(),
            "--subset with --annotations, --images",
        ),
    ],
)
def test_choices_that_cannot_be(words, message):
    with pytest.raises(UserError, match=message):
        main.run(["teacher", "evaluate", *words])


def test_no_object_to_measure(own, root, tmp_path):
    content = json.loads((root / "annotations" / "instances_val.json").read_text())
    for record in content["annotations"]:
        record["iscrowd"] = 1
    path = tmp_path / "crowds.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="no object to measure: 16 images"):
        evaluate(*own[:2], "--annotations", path, *own[4:])
    with pytest.raises(UserError, match="clip"):
        evaluate(*own, "--crops", "clip")
    with pytest.raises(UserError, match="no image .*png, nor the next"):
        evaluate(*own[:5], tmp_path)
