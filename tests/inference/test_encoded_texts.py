"""Texts are encoded once, whatever the spelling of their class."""

import torch

from ovdistill.inference.encoded_texts import EncodedTexts
from ovdistill.vocabulary import Names, Vocabulary

from ..vocabulary.fake_teacher import FakeTeacher


def test_a_class_is_encoded_once_in_all_its_spellings():
    asked = []

    def encode(names):
        asked.extend(names)
        return Vocabulary.encode(Names(tuple(names)), FakeTeacher(), ("{}",))

    texts = EncodedTexts(encode)
    first = texts(["x_Star", "ring"])
    again = texts(["ring", "x star", "arrow"])
    assert asked == ["x_Star", "ring", "arrow"]
    assert again.names == ("ring", "x star", "arrow")
    assert torch.equal(again.embeddings[:2], first.embeddings[[1, 0]])
