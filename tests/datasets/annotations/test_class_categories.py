"""Class names and the categories of a file, with other spellings."""

from ovdistill.datasets.annotations.class_categories import find_categories


def test_exact_names_come_first():
    categories = {"hot_dog": {"id": 4}, "Cat": {"id": 7}, "cat": {"id": 2}, "emu": {"id": 9}}
    assert find_categories(["cat", "hot dog", "emu", "ox"], categories) == [2, 4, 9, None]


def test_what_is_not_clear_is_not_found():
    categories = {"Cat": {"id": 7}, "cat": {"id": 2}, "dog": {"id": 3}}
    assert find_categories(["CAT"], categories) == [None]  # either
    assert find_categories(["dog", "Dog"], categories) == [3, None]  # one category, one class
