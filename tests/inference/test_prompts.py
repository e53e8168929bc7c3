"""What a user asks for: how it is split, tidied, and what is refused."""

from __future__ import annotations

import json

import pytest

from ovdistill.core.errors import UserError
from ovdistill.inference.prompts import parse_prompts


def test_names_between_commas():
    prompts = parse_prompts(" red  star, ring,,red star ")
    assert prompts.names == ("red star", "ring") and not prompts.notes
    assert parse_prompts(["a, b", "c"]).names == ("a, b", "c")
    for empty in ("", " , ", [], {}):
        with pytest.raises(UserError, match="no name"):
            parse_prompts(empty)


def test_quotes_protect_commas():
    assert parse_prompts('cup, "plate, with food" ,"x"').names == ("cup", "plate, with food", "x")
    assert parse_prompts('a 5" disk').names == ('a 5" disk',)
    with pytest.raises(UserError, match="not closed"):
        parse_prompts('cup, "plate, with food')


def test_names_that_differ_in_case_or_plural_are_one_and_it_is_said():
    prompts = parse_prompts("Dog, dogs, cat")
    assert prompts.names == ("Dog", "cat")
    assert any("dogs" in note and "Dog" in note for note in prompts.notes)
    apart = ["bat (animal)", "bat (sports equipment)", "cup on a box", "box on a cup", "?", "!"]
    assert parse_prompts(apart).names == tuple(apart)


def test_a_plural_is_asked_for_as_the_training_spells_it():
    prompts = parse_prompts("dogs, scissors, Glasses").in_words_of(["dog", "scissors", "glass"])
    assert prompts.phrases == (("dog",), ("scissors",), ("glass",))
    assert prompts.names == ("dogs", "scissors", "Glasses")
    assert len(prompts.notes) == 2


def test_phrases_of_a_name():
    prompts = parse_prompts({"couch": ["sofa", "sofa", " settee "], "lamp": None, "cup": "mug"})
    assert prompts.phrases == (("couch", "sofa", "settee"), ("lamp",), ("cup", "mug"))
    assert prompts.rows == ("couch", "sofa", "settee", "lamp", "cup", "mug")
    assert prompts.classes == (0, 0, 0, 1, 2, 2)
    with pytest.raises(UserError, match="'sofa'.*'couch'.*'bench'"):
        parse_prompts({"couch": "sofa", "bench": "sofa"})


def test_spellings_of_one_class_are_one_phrase():
    spellings = {
        "green star": ["Verdant_star", "verdant star", "Green_Star"],
        "cup": "cup.",
        "x": [],
    }
    assert parse_prompts(spellings).rows == ("green star", "Verdant_star", "cup", "x")
    assert parse_prompts("a/b, A or B").names == ("a/b",)
    with pytest.raises(UserError, match="'Bay_Window'.*'couch'.*'seat'"):
        parse_prompts({"couch": "bay window", "seat": "Bay_Window"})


def test_a_plural_that_is_a_phrase_of_another_name_stays():
    prompts = parse_prompts({"dog": None, "pet": ["dogs", "cats", "Cat"]}).in_words_of(
        ["dog", "cat"]
    )
    assert prompts.phrases == (("dog",), ("pet", "dogs", "cat"))
    assert prompts.notes == ("'cats' is asked for as 'cat'",)


def test_a_kind_that_is_asked_for_in_another_spelling_is_no_further_phrase():
    prompts = parse_prompts({"heart": ["Dotted_heart"], "ring": None})
    kinds = {"heart": ("dotted heart", "solid heart")}
    assert prompts.with_kinds(kinds).phrases == (
        ("heart", "Dotted_heart", "solid heart"),
        ("ring",),
    )


def test_another_script_is_said():
    assert any("собака" in note for note in parse_prompts("dog, собака").notes)
    assert not parse_prompts("café").notes


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_a_file_with_synonyms_and_negatives(tmp_path, suffix):
    path = tmp_path / f"names{suffix}"
    negatives = ["cushion", "Sofa", "Cushion."]
    content = {"names": {"couch": ["sofa"], "lamp": None}, "negatives": negatives}
    path.write_text(json.dumps(content))
    prompts = parse_prompts(str(path))
    assert prompts.phrases == (("couch", "sofa"), ("lamp",))
    assert prompts.negatives == ("cushion",)  # a synonym does not compete


def test_files_of_names(tmp_path):
    (tmp_path / "a.txt").write_text("red star\nring\n")
    assert parse_prompts(str(tmp_path / "a.txt")).names == ("red star", "ring")
    (tmp_path / "data.yaml").write_text("names: {0: person, 1: dog}")  # as YOLO has it
    assert parse_prompts(str(tmp_path / "data.yaml")).names == ("person", "dog")
    (tmp_path / "data.json").write_text('{"names": {"1": "dog", "0": "person"}}')
    assert parse_prompts(str(tmp_path / "data.json")).names == ("person", "dog")
    (tmp_path / "back.yaml").write_text("names: {owl: 1, fox: 0}")
    assert parse_prompts(str(tmp_path / "back.yaml")).names == ("fox", "owl")
    for name, text in (
        ("b.json", '{"names": {"a": [3]}}'),
        ("c.yaml", "names: ["),
        ("d.yaml", "names: " + "[" * 5000),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(UserError, match=name):
            parse_prompts(str(tmp_path / name))
    with pytest.raises(UserError, match="none.txt"):
        parse_prompts(str(tmp_path / "none.txt"))


def test_names_in_yaml_are_texts_whatever_they_look_like(tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text("names: {no: [2001-13-45, nullable], 'null': ~, tag: !!int x}\nnegatives: null")
    prompts = parse_prompts(str(path))
    assert prompts.phrases == (("no", "2001-13-45", "nullable"), ("null",), ("tag", "x"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("names: {cat: [*a9]}", "expected texts"),
        ("names: {cat: []}\nnegatives: {a: *a9}", "expected a list of names"),
        ("names: {cat: {<<: [*a9, *a9]}}", "names.yaml"),
        (f"names: {{{', '.join(f'n{i}: *a0' for i in range(25_000))}}}", "expected at most"),
    ],
)
def test_aliases_that_repeat_themselves_without_end_are_an_error(tmp_path, line, message):
    """Written out, the last of these lists has 10^10 texts."""
    lists = ["&a0 [" + "x, " * 10 + "]"] + [
        f"&a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)
    ]
    path = tmp_path / "names.yaml"
    path.write_text("".join(f"a{i}: {text}\n" for i, text in enumerate(lists)) + line)
    with pytest.raises(UserError, match=message) as error:
        parse_prompts(str(path))
    assert len(str(error.value)) < 500
