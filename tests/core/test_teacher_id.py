"""Two teachers are the same by the hash of their weights, or else by name."""

from __future__ import annotations

import pytest

from ovdistill.core.teacher_id import TeacherId


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (TeacherId("a", "1"), TeacherId("b", "1"), True),  # one model under two names
        (TeacherId("a", "1"), TeacherId("a", "2"), False),  # another training of the same model
        (TeacherId("a", "1"), TeacherId("a"), True),
        (TeacherId("a", "1"), TeacherId("b"), False),
        (TeacherId("a"), TeacherId("a:random"), False),
    ],
)
def test_same(a: TeacherId, b: TeacherId, same: bool) -> None:
    assert a.is_same(b) == b.is_same(a) == same


def test_header_entries_have_the_keys_of_files_on_disk() -> None:
    teacher = TeacherId("ViT-B-32:openai", "0123456789abcdef")
    header = teacher.to_header()
    assert header == {"teacher": "ViT-B-32:openai", "teacher_hash": "0123456789abcdef"}
    assert TeacherId.from_header({**header, "other": 1}) == teacher
    assert TeacherId.from_header({"teacher": "a"}) == TeacherId("a", "")


def test_text_names_the_hash() -> None:
    assert "0123" in str(TeacherId("a", "0123")) and "a" in str(TeacherId("a", "0123"))
    assert "unknown" in str(TeacherId("a"))


def test_a_change_behind_a_teacher_has_an_id_that_stays() -> None:
    assert TeacherId("a", "00ff").followed_by("map", "abc") == TeacherId(
        "a+map", "3b53606c2f35da6b"
    )
    assert TeacherId("a").followed_by("map", "abc") == TeacherId("a+map")
