"""The one way from names to a vocabulary: named lists, splits, synonyms, published embeddings."""

import json
from collections import Counter

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.datasets.build_vocabulary import encode_names, import_embeddings, select_names
from ovdistill.datasets.category_names import find_names, read_names
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Names, Vocabulary
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NOVEL, COCO_UNUSED

CATEGORIES = [
    {"id": 1, "name": "solid_star", "frequency": "f", "synonyms": ["solid_star", "star"]},
    {"id": 2, "name": "ring", "frequency": "r", "synonyms": ["ring"]},
]


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(dict(model="ovshapes"))


@pytest.fixture
def ann(tmp_path):
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(dict(images=[], annotations=[], categories=CATEGORIES)))
    return path


def test_lvis_by_name():
    names = find_names("lvis")
    assert len(set(names.names)) == 1203
    assert Counter(names.frequency) == {"f": 405, "c": 461, "r": 337}
    groups = dict(zip(names.names, names.frequency, strict=True))
    assert [groups[n] for n in ("person", "aerosol_can", "applesauce")] == ["f", "c", "r"]


def test_coco_by_name():
    assert len(find_names("coco80")) == 80
    everything, names, is_base = select_names("coco")
    assert (len(everything), len(names), int(is_base.sum())) == (80, 65, 48)
    assert names.names[:5] == ("person", "bicycle", "car", "motorcycle", "airplane")
    assert {*everything.names} == {*COCO_BASE, *COCO_NOVEL, *COCO_UNUSED}


@pytest.mark.parametrize(
    ("split", "base"),
    [(None, [1, 0]), ("lvis", [1, 0]), ("none", [1, 1]), ("solid star", [0, 1]), ([], [1, 1])],
)
def test_splits(ann, split, base):
    _, _, is_base = select_names(ann, split)
    assert is_base.tolist() == base


@pytest.mark.parametrize(
    ("names", "split", "message"),
    [
        ("lvis", "coco", "not in the 48"),
        ("coco80", "lvis", "without frequencies"),
        ("a, b", "lviss", r"not in the vocabulary: lviss.*lvis, coco, none"),
    ],
)
def test_splits_that_do_not_fit(names, split, message):
    with pytest.raises(UserError, match=message):
        select_names(names, split)


def test_synonyms_are_averaged_over_all_their_prompts(ann, teacher, tmp_path):
    (tmp_path / "t.txt").write_text("# two of them\na photo of {article} {}.\n\n{}\n")
    words = encode_names(ann, lambda: teacher, str(tmp_path / "t.txt"), synonyms=True)
    prompts = ["a photo of a solid star.", "solid star", "a photo of a star.", "star"]
    expected = torch.nn.functional.normalize(teacher.encode_text(prompts).mean(dim=0), dim=0)
    torch.testing.assert_close(words.embeddings[0], expected)
    plain = encode_names(ann, lambda: teacher, str(tmp_path / "t.txt"))
    assert not torch.allclose(plain.embeddings[0], expected, atol=1e-3)
    torch.testing.assert_close(plain.embeddings[1], words.embeddings[1])  # "ring" alone
    assert (words.synonyms_averaged, plain.synonyms_averaged) == (True, False)
    assert words.templates == ("a photo of {article} {}.", "{}")
    words.save(tmp_path / "v")
    assert Vocabulary.load(tmp_path / "v").synonyms_averaged


def test_names_without_synonyms(teacher):
    with pytest.raises(UserError, match="LVIS annotation file"):
        Vocabulary.encode(Names(("cup",)), teacher, ("{}",), synonyms=True)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("turned", [False, True])
def test_imports_of_any_type_norm_and_orientation(tmp_path, dtype, turned):
    array = np.array([[3, 4, 0], [0, 0, 2]], dtype)
    np.save(tmp_path / "e.npy", array.T if turned else array)
    words = import_embeddings(tmp_path / "e.npy", "cup, boat", "some:tag", "boat")
    torch.testing.assert_close(words.embeddings, torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]))
    assert words.is_base.tolist() == [True, False]
    assert words.teacher == ("some:tag", "")


def test_square_arrays(tmp_path, caplog):
    np.save(tmp_path / "e.npy", np.array([[1.0, 1.0], [0.0, 1.0]]))
    words = import_embeddings(tmp_path / "e.npy", "cup, boat", "t")
    assert words.embeddings[1].tolist() == [0, 1]
    assert "--transposed" in caplog.text
    words = import_embeddings(tmp_path / "e.npy", "cup, boat", "t", transposed=True)
    assert words.embeddings[0].tolist() == [1, 0]
    np.save(tmp_path / "e.npy", np.ones((2, 3)))
    with pytest.raises(UserError, match="not transposed"):
        import_embeddings(tmp_path / "e.npy", "cup, boat", "t", transposed=True)


@pytest.mark.parametrize("names", ["coco", "coco80"])
def test_the_65_of_80_are_picked_by_name(tmp_path, names):
    rows = np.random.default_rng(0).normal(size=(80, 96))
    np.save(tmp_path / "e.npy", rows)
    words = import_embeddings(tmp_path / "e.npy", names, "t", "coco")
    assert (len(words), int(words.is_base.sum())) == (65, 48)
    row = find_names("coco80").names.index("umbrella")
    expected = torch.tensor(rows[row] / np.linalg.norm(rows[row]), dtype=torch.float32)
    torch.testing.assert_close(words.embeddings[words.names.index("umbrella")], expected)
    # a file of the 65 alone
    np.save(tmp_path / "e.npy", rows[:65])
    assert len(import_embeddings(tmp_path / "e.npy", names, "t", "coco")) == 65


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((3, 3)), r"\(3, 3\) for 2 names"),
        (np.array([[1, 0, 0], [0, 0, 0]], float), "'boat'.*zero"),
        (np.array([[1, 0, 0], [0, np.inf, 0]], float), "'boat'.*not finite"),
        (np.ones((2, 3), int), "int64.*floats"),
    ],
)
def test_bad_embeddings(tmp_path, array, message):
    np.save(tmp_path / "e.npy", array)
    with pytest.raises(UserError, match=message):
        import_embeddings(tmp_path / "e.npy", "cup, boat", "t")


def test_frequencies_are_those_of_the_published_file(real_data):
    published = read_names(real_data / "clip_text" / "lvis_v1_train_cat_info.json")
    names = find_names("lvis")
    assert names.frequency == published.frequency
    other = [pair for pair in zip(names.names, published.names, strict=True) if len({*pair}) > 1]
    assert other == [("speaker_(stereo_equipment)", "speaker_(stero_equipment)")]


def test_published_embeddings_are_imported(real_data):
    folder = real_data / "clip_text"
    for names in ("lvis", str(folder / "lvis_v1_train_cat_info.json")):
        words = import_embeddings(
            folder / "lvis_v1_clip_a+cname.npy", names, "clip", templates=["a {}"]
        )
        assert (len(words), words.embed_dim, int(words.is_base.sum())) == (1203, 512, 866)
    words = import_embeddings(folder / "coco_clip_a+cname.npy", "coco80", "clip")
    assert (len(words), int(words.is_base.sum())) == (80, 80)
    cat, dog, car = (words.embeddings[words.names.index(name)] for name in ("cat", "dog", "car"))
    assert cat @ dog > cat @ car
