"""The prompt ensemble: the unit mean of unit embeddings, over prompts and over phrases."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Names, text_embeddings
from ovdistill.vocabulary.text_embeddings import encode_phrases, names_with_synonyms

from .fake_teacher import FakeTeacher


def test_synonyms_that_are_equal_when_cleaned_are_kept_once():
    names = Names(("A_cup", "boat"), synonyms=(("a cup", "mug"), ("ship", "boat", "ship.")))
    assert names_with_synonyms(names) == [["A_cup", "mug"], ["boat", "ship"]]
    with pytest.raises(UserError, match="synonyms.*expected"):
        names_with_synonyms(Names(("cup",)))


def test_the_mean_over_prompts_by_hand():
    # two of three prompts point to (1, 0), one to (0, 1): the mean is (2, 1) / 3
    embeddings = encode_phrases([["cup"]], FakeTeacher(), ("x {}", "xx {}", "{}"))
    torch.testing.assert_close(embeddings, torch.tensor([[2.0, 1.0]]) / 5**0.5)


def test_the_mean_over_phrases_by_hand():
    # "xa" alone; two phrases of three point to (0, 1)
    embeddings = encode_phrases([["xa"], ["a", "xa", "b"]], FakeTeacher(), ("{}",))
    expected = torch.tensor([[1.0, 0.0], [1 / 5**0.5, 2 / 5**0.5]])
    torch.testing.assert_close(embeddings, expected)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_chunks_do_not_change_the_embeddings(size, monkeypatch):
    groups, prompts = [["xa"], ["b", "xc"], ["xa", "b"]], ("{}", "x {}")
    whole = encode_phrases(groups, FakeTeacher(), prompts)
    monkeypatch.setattr(text_embeddings, "PROMPTS_PER_CHUNK", size)
    assert torch.equal(encode_phrases(groups, FakeTeacher(), prompts), whole)


def test_a_phrase_of_several_groups_is_encoded_once():
    teacher, texts = FakeTeacher(), []
    encode_text = teacher.encode_text
    teacher.encode_text = lambda batch: texts.extend(batch) or encode_text(batch)
    encode_phrases([["a", "b"], ["b"], ["a"]], teacher, ("{}",))
    assert texts == ["a", "b"]
