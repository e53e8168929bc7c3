"""Tables of classes that a config names."""

import pytest

from ovdistill.core.class_table import add_class


def made(module):
    return type("Mine", (), {"__module__": module})


def test_a_class_is_added_under_its_name_and_may_be_added_again():
    table = {}
    first, again = made("a"), made("a")  # a module that was loaded again
    assert add_class(table, first, "a thing") is first
    assert add_class(table, again, "a thing") is again
    assert table == {"Mine": again}
    add_class(table, first, "a thing", "another name")
    assert table == {"Mine": again, "another name": first}


def test_a_name_belongs_to_one_module():
    first = made("a")
    table = {"Mine": first}
    with pytest.raises(ValueError, match="a thing 'Mine' is registered by a already"):
        add_class(table, made("b"), "a thing")
    assert table == {"Mine": first}
