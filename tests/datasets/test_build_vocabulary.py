"""Vocabularies from what a user names: lists, splits, synonyms, published embeddings, prompts."""

import json

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.build_vocabulary import (
    encode_names,
    import_embeddings,
    prompts_of_config,
    select_names,
)
from ovdistill.datasets.names import find_names
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import TEMPLATES, Names, Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts
from ovdistill.vocabulary.prompt_context import random_context

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


def test_coco_by_name():
    assert len(find_names("coco80")) == 80
    everything, names, is_base = select_names("coco")
    assert (len(everything), len(names), int(is_base.sum())) == (80, 65, 48)
    assert names.names[:5] == ("person", "bicycle", "car", "motorcycle", "airplane")
    assert everything.names == find_names("coco80").names


def test_coco_in_another_spelling():
    spelled = ",".join(name.replace(" ", "_").title() for name in find_names("coco80").names)
    _, names, is_base = select_names(spelled, "coco")
    assert (len(names), int(is_base.sum())) == (65, 48)
    assert "Traffic_Light" not in names.names and "Traffic_Light" in spelled


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
    vocabulary = encode_names(ann, lambda: teacher, str(tmp_path / "t.txt"), synonyms=True)
    prompts = ["a photo of a solid star.", "solid star", "a photo of a star.", "star"]
    expected = torch.nn.functional.normalize(teacher.encode_text(prompts).mean(dim=0), dim=0)
    torch.testing.assert_close(vocabulary.embeddings[0], expected)
    plain = encode_names(ann, lambda: teacher, str(tmp_path / "t.txt"))
    assert not torch.allclose(plain.embeddings[0], expected, atol=1e-3)
    torch.testing.assert_close(plain.embeddings[1], vocabulary.embeddings[1])  # "ring" alone
    assert (vocabulary.synonyms_averaged, plain.synonyms_averaged) == (True, False)
    assert vocabulary.templates == ("a photo of {article} {}.", "{}")
    vocabulary.save(tmp_path / "v")
    assert Vocabulary.load(tmp_path / "v").synonyms_averaged


def test_names_without_synonyms(teacher):
    with pytest.raises(UserError, match="LVIS annotation file"):
        Vocabulary.encode(Names(("cup",)), teacher, ("{}",), synonyms=True)


@pytest.mark.parametrize("bad", [dict(names="cup, cup"), dict(templates="none"), dict(split="x")])
def test_the_teacher_is_built_when_all_else_is_known_to_be_good(bad):
    def build():
        raise AssertionError("built the teacher first")

    with pytest.raises(UserError, match="expected"):
        encode_names(**(dict(names="cup, boat", teacher=build) | bad))
    with pytest.raises(UserError, match="synonyms"):
        encode_names("cup, boat", build, synonyms=True)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("turned", [False, True])
def test_imports_of_any_type_norm_and_orientation(tmp_path, dtype, turned):
    array = np.array([[3, 4, 0], [0, 0, 2]], dtype)
    np.save(tmp_path / "e.npy", array.T if turned else array)
    vocabulary = import_embeddings(tmp_path / "e.npy", "cup, boat", "some:tag", "boat")
    torch.testing.assert_close(
        vocabulary.embeddings, torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    )
    assert vocabulary.is_base.tolist() == [True, False]
    assert vocabulary.teacher == TeacherId("some:tag")


def test_square_arrays(tmp_path, caplog):
    np.save(tmp_path / "e.npy", np.array([[1.0, 1.0], [0.0, 1.0]]))
    vocabulary = import_embeddings(tmp_path / "e.npy", "cup, boat", "t")
    assert vocabulary.embeddings[1].tolist() == [0, 1]
    assert "--transposed" in caplog.text
    vocabulary = import_embeddings(tmp_path / "e.npy", "cup, boat", "t", transposed=True)
    assert vocabulary.embeddings[0].tolist() == [1, 0]
    np.save(tmp_path / "e.npy", np.ones((2, 3)))
    with pytest.raises(UserError, match="not transposed"):
        import_embeddings(tmp_path / "e.npy", "cup, boat", "t", transposed=True)


@pytest.mark.parametrize("names", ["coco", "coco80"])
def test_the_65_of_80_are_picked_by_name(tmp_path, names):
    rows = np.random.default_rng(0).normal(size=(80, 96))
    np.save(tmp_path / "e.npy", rows)
    vocabulary = import_embeddings(tmp_path / "e.npy", names, "t", "coco")
    assert (len(vocabulary), int(vocabulary.is_base.sum())) == (65, 48)
    row = find_names("coco80").names.index("umbrella")
    expected = torch.tensor(rows[row] / np.linalg.norm(rows[row]), dtype=torch.float32)
    torch.testing.assert_close(vocabulary.embeddings[vocabulary.names.index("umbrella")], expected)
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


def test_published_embeddings_are_imported(real_data):
    folder = real_data / "clip_text"
    for names in ("lvis", str(folder / "lvis_v1_train_cat_info.json")):
        vocabulary = import_embeddings(
            folder / "lvis_v1_clip_a+cname.npy", names, "clip", templates=["a {}"]
        )
        assert (len(vocabulary), vocabulary.embed_dim, int(vocabulary.is_base.sum())) == (
            1203,
            512,
            866,
        )
    vocabulary = import_embeddings(folder / "coco_clip_a+cname.npy", "coco80", "clip")
    assert (len(vocabulary), int(vocabulary.is_base.sum())) == (80, 80)
    cat, dog, car = (
        vocabulary.embeddings[vocabulary.names.index(name)] for name in ("cat", "dog", "car")
    )
    assert cat @ dog > cat @ car


@pytest.fixture(scope="module")
def learned(teacher):
    contexts = torch.stack([random_context(3, teacher.text_tower(), seed) for seed in (0, 1)])
    return LearnedPrompts(contexts, "middle", teacher.id, "learned by nobody")


@pytest.fixture
def learned_file(teacher, learned, tmp_path):
    Vocabulary.encode(("cup", "boat"), teacher, learned).save(tmp_path / "learned.safetensors")
    return tmp_path / "learned.safetensors"


VILD63 = dict(vocabulary=dict(templates="vild63"))


def test_learned_prompts_of_a_file_encode_other_names(teacher, learned, learned_file):
    again = encode_names("moon, boat", lambda: teacher, str(learned_file))
    expected = Vocabulary.load(learned_file).embeddings[1]
    torch.testing.assert_close(again.embeddings[1], expected, atol=1e-6, rtol=0)
    assert torch.equal(again.prompts.contexts, learned.contexts)


def test_prompts_of_a_config_are_those_of_its_vocabulary(teacher, learned, learned_file, tmp_path):
    config = dict(vocabulary=str(learned_file), prepare=VILD63)
    assert torch.equal(prompts_of_config(config).contexts, learned.contexts)
    Vocabulary.encode(("cup",), teacher, ["a {}."]).save(tmp_path / "written")
    config = dict(vocabulary=str(tmp_path / "written"), prepare=VILD63)
    assert prompts_of_config(config) == ("a {}.",)


def test_prompts_of_a_config_without_vocabulary_file(learned, learned_file):
    published = dict(prepare=dict(vocabulary=dict(templates=str(learned_file))))
    assert torch.equal(prompts_of_config(published).contexts, learned.contexts)
    assert prompts_of_config(dict(vocabulary="no", prepare=VILD63)) == TEMPLATES["vild63"]
    assert prompts_of_config({}) == TEMPLATES["single"]


def test_prompts_of_a_config_with_imported_embeddings(tmp_path):
    path = tmp_path / "imported"
    Vocabulary.from_array(np.eye(2), ["cup", "boat"], "published").save(path)
    config = dict(vocabulary=str(path), prepare=VILD63)
    assert prompts_of_config(config) == TEMPLATES["vild63"]
