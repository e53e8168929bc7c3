"""Which classes of two files are taken, in which order, and which are novel."""

from pathlib import Path

import pytest

from ovdistill.commands.init_dataset.classes import choose_classes
from ovdistill.core.errors import UserError
from ovdistill.datasets.survey import Survey
from ovdistill.vocabulary import Names


def survey(*names: str, without_boxes: tuple[str, ...] = (), **details: object) -> Survey:
    folder = Path("data")
    return Survey(
        *(folder / "a.json", folder, Names(names, **details)),
        *(4, 9, 0, 9),
        lvis=False,
        without_boxes=frozenset(without_boxes),
    )


TRAIN = survey("cat", "hot_dog", "bird", without_boxes=("bird",))


def test_the_training_file_alone():
    found = choose_classes(TRAIN)
    assert found.names == found.base == ("cat", "hot_dog", "bird")
    assert found.as_in_train and not found.dropped
    assert choose_classes(TRAIN, novel="Hot dog").novel == ("hot_dog",)


def test_what_only_the_other_file_has_boxes_of_is_novel():
    val = survey("fox", "bird", "cat", "Hot Dog", "elk", without_boxes=("cat", "elk"))
    found = choose_classes(TRAIN, val)
    assert found.names == ("cat", "hot_dog", "bird", "fox", "elk")
    assert found.novel == ("bird", "fox", "elk") and found.base == ("cat", "hot_dog")
    # who names the novel classes means these, and those that cannot be trained anyway
    assert choose_classes(TRAIN, val, novel="cat").novel == ("cat", "fox", "elk")
    assert not found.as_in_train
    assert [record["id"] for record in found.records] == [1, 2, 3, 4, 5]


def test_a_class_without_boxes_anywhere_stays_base():
    val = survey("cat", "hot_dog", "bird", without_boxes=("bird",))
    found = choose_classes(TRAIN, val)
    assert found.as_in_train and found.novel == ()


def test_names_say_which_and_in_which_order(tmp_path):
    (file := tmp_path / "names.txt").write_text("bird\nHot dog\ncat\n")
    found = choose_classes(TRAIN, names=file)
    assert found.names == ("bird", "hot_dog", "cat") and not found.as_in_train
    found = choose_classes(TRAIN, names=file, drop="cat")
    assert found.names == ("bird", "hot_dog") and found.dropped == ("cat",)


@pytest.mark.parametrize("name", ["ball/puck", "chat, noir"])
def test_one_name_may_have_a_slash_or_a_comma(name):
    assert choose_classes(survey("cat", name), drop=name).names == ("cat",)


def test_what_the_file_says_of_a_class_is_kept():
    details = dict(frequency=("f", "r"), synonyms=(("cat", "tabby"), ("elk",)), counts=(5, 1))
    found = choose_classes(survey("cat", "elk", **details), drop="cat")
    assert found.records == (
        dict(id=1, name="elk", frequency="r", synonyms=("elk",), image_count=1),
    )
    assert found.with_synonyms and not choose_classes(TRAIN).with_synonyms


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(novel="cta"), "did you mean cat"),
        (dict(drop="cat", novel="cat"), "no category"),
        (dict(names="cat, elk"), "'elk'"),
        (dict(novel="cat, hot dog"), "no base class has a box"),
        (dict(drop="cat, hot dog"), "no base class has a box"),
        (dict(val=survey("cat")), "2 categories .*'hot_dog'.*--drop \"hot_dog, bird\""),
    ],
)
def test_classes_that_cannot_be_trained_or_evaluated(options, message):
    with pytest.raises(UserError, match=message):
        choose_classes(TRAIN, **options)
