"""Class names with what their source says, and the rules for a list of them."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary.names import Names, check_names


def test_only_some_of_the_names():
    names = Names(("a", "b", "c"), frequency=("f", "c", "r"), ids=(1, 3, 7))
    kept = names.only({"c", "a", "other"})
    assert kept == Names(("a", "c"), frequency=("f", "r"), ids=(1, 7))
    assert len(kept) == 2


def test_synonyms_and_counts_are_kept_too():
    names = Names(("a", "b"), synonyms=(("a", "x"), ("b",)), counts=(3, 4))
    assert names.only({"b"}) == Names(("b",), synonyms=(("b",),), counts=(4,))
    assert names.only(()) == Names((), synonyms=(), counts=())


@pytest.mark.parametrize(
    ("names", "fact"), [((), "no names"), (("",), "no names"), (("a", ""), "2"), ("aba", "a")]
)
def test_bad_names(names, fact):
    with pytest.raises(UserError, match=f"{fact}.*my list|my list.*{fact}"):
        check_names(names, "my list")


def test_good_names():
    check_names(iter(("a", "b")), "my list")
