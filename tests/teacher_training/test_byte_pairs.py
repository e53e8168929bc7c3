"""The byte-pair vocabulary of a tokenizer of one's own."""

from open_clip.tokenizer import SimpleTokenizer

from ovdistill.teacher_training.byte_pairs import learn_merges, merges_file, vocabulary_size

from .tiny import WORDS


def test_merges_by_hand():
    # "b a</w>" occurs in two words, the other pairs in one: it is merged first.
    assert learn_merges(["ba", "cba"]) == [("b", "a</w>"), ("c", "ba</w>")]


def test_every_word_becomes_one_token(tmp_path):
    merges = learn_merges(WORDS)
    path = tmp_path / "bpe.txt.gz"
    path.write_bytes(merges_file(merges))
    tokenizer = SimpleTokenizer(str(path), context_length=32)
    assert tokenizer.vocab_size == vocabulary_size(merges)
    assert all(len(tokenizer.encode(word)) == 1 for word in WORDS)
    # An unknown word is spelt: sot, 5 letters, eot.
    assert (tokenizer(["zebra"]) != 0).sum() <= 7
    assert tokenizer(["zebra"]).max() < vocabulary_size(merges)


def test_file_is_reproducible():
    merges = learn_merges(WORDS)
    assert merges_file(merges) == merges_file(learn_merges(sorted(WORDS)))
