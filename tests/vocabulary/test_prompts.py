import pytest

from ovdistill.core.class_names import spell_name
from ovdistill.core.errors import UserError
from ovdistill.vocabulary.prompts import (
    TEMPLATES,
    article,
    clean_name,
    fill_template,
    read_templates,
)


def test_vild63_is_63_unique_templates():
    templates = TEMPLATES["vild63"]
    assert len(templates) == len(set(templates)) == 63
    # By the families of the ViLD release: 2 + 3 + 5 of plain ones, 48 with adjectives, ...
    assert sum(t.startswith("There is ") for t in templates) == 2
    assert sum(t.startswith("itap of ") for t in templates) == 3
    assert sum(t.startswith("This is ") for t in templates) == 58
    assert sum("painting" in t for t in templates) == 2


def test_detpro74_is_74_unique_templates():
    templates = TEMPLATES["detpro74"]
    assert len(templates) == len(set(templates)) == 74
    # the places of the names: 2 + 4 + 4 nowhere, 4 + 12 in the scene, 24 each in photo and picture
    places = [t.partition("in the ")[2] for t in templates]
    assert [places.count(p) for p in ("", "scene", "photo", "picture")] == [10, 16, 24, 24]
    texts = {fill_template(t, "hot_dog") for t in templates}
    assert {
        "There is a hot_dog",
        "This is a photo of a medium hot_dog",
        "This is one large hot_dog in the scene",
        "There is the small hot_dog in the picture",
    } <= texts


@pytest.mark.parametrize(
    ("template", "name", "text"),
    [
        ("a photo of {article} {}.", "umbrella", "a photo of an umbrella."),
        ("a photo of {article} {}.", "Speaker_(stereo)", "a photo of a speaker (stereo)."),
        ("{}", "cup/mug.", "cup or mug"),
        ("a photo of a {raw}", "Speaker_(stereo)", "a photo of a Speaker_(stereo)"),
    ],
)
def test_fill(template, name, text):
    assert fill_template(template, name) == text


@pytest.mark.parametrize(
    "text",
    [
        "There is an orange ring in the scene.",
        "itap of my orange ring.",
        "This is a photo of many orange ring.",
        "This is a jpeg corrupted photo of an orange ring.",
        "This is a photo of the hard to see orange ring.",
        "This is the plushie orange ring.",
        "This is an embroidered orange ring.",
        "This is a painting of a orange ring.",
    ],
)
def test_vild63_sentences(text):
    assert text in {fill_template(t, "orange ring") for t in TEMPLATES["vild63"]}


@pytest.mark.parametrize(
    ("spelling", "text"),
    [("plain", "bow (weapon)"), ("words", "bow weapon"), ("raw", "Bow_(weapon)")],
)
def test_spellings(spelling, text):
    assert spell_name("Bow_(weapon)", spelling) == text


def test_clean_name_and_article():
    assert clean_name(" Hot_Dog. ") == "hot dog"
    assert clean_name("speaker_(stero_equipment)") == clean_name("speaker_(stereo_equipment)")
    assert [article(w) for w in ("apple", "Ice", "hour", "unicorn")] == ["an", "an", "a", "an"]


@pytest.mark.parametrize(
    ("template", "name"),
    [("a photo", "cup"), ("{} {x}", "cup"), ("{}", "_"), ("a {{}}", "cup"), ("a {{raw}}", "cup")],
)
def test_bad_templates_and_names(template, name):
    with pytest.raises(UserError, match="expected"):
        fill_template(template, name)


def test_own_templates(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("# mine\n\na {}.\n  {article} {} here\n")
    assert read_templates(path) == ("a {}.", "{article} {} here")
    assert read_templates(str(path)) == read_templates(["a {}.", "{article} {} here"])
    assert read_templates("vild63") == TEMPLATES["vild63"]


@pytest.mark.parametrize("text", ["", "# none\n", "a photo\n", "{} {other}\n", "{}\n{}\n"])
def test_bad_templates(tmp_path, text):
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(UserError, match="expected"):
        read_templates(tmp_path / "t.txt")


def test_templates_that_are_not_there():
    with pytest.raises(UserError, match="single, vild63"):
        read_templates("vild64")
