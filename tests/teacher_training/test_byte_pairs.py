"""The byte-pair vocabulary of the small teacher."""

from open_clip.tokenizer import SimpleTokenizer

from ovdistill.ovshapes.teacher.tokenizer import learn_merges, merges_file, vocabulary_size
from ovdistill.ovshapes.teacher.training import words


def test_merges_by_hand():
    # "b a</w>" occurs in two words, the other pairs in one: it is merged first.
    assert learn_merges(["ba", "cba"]) == [("b", "a</w>"), ("c", "ba</w>")]


def test_every_word_becomes_one_token(tmp_path):
    merges = learn_merges(words())
    path = tmp_path / "bpe.txt.gz"
    path.write_bytes(merges_file(merges))
    tokenizer = SimpleTokenizer(str(path), context_length=32)
    assert tokenizer.vocab_size == vocabulary_size(merges)
    assert all(len(tokenizer.encode(word)) == 1 for word in words())
    # An unknown word is spelt: sot, 5 letters, eot.
    assert (tokenizer(["zebra"]) != 0).sum() <= 7
    assert tokenizer(["zebra"]).max() < vocabulary_size(merges)


def test_file_is_reproducible():
    merges = learn_merges(words())
    assert merges_file(merges) == merges_file(learn_merges(sorted(words())))
