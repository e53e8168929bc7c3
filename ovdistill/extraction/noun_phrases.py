"""Finds the noun phrases of captions with a list of the words that end a phrase.

"A man riding a horse on the beach, seen from behind" -> "man", "horse", "beach". A tagger would
need a model to download, and captions are simple sentences.
"""

from __future__ import annotations

import re

_BREAKS = frozenset(
    "a an the this that these those some any each every another other others one two three four "
    "five six seven eight nine ten several many few couple lot lots bunch group pair various "
    "his her its their my your our and or but nor while as than then so if because "
    "about above across after against along among amid around at before behind below beneath "
    "beside besides between beyond by down during for from in inside into near next of off on "
    "onto out outside over past through throughout to toward towards under up upon via with "
    "within without away back together apart front side top bottom middle left right "
    "he she it they we you i who whom which what there here where when how "
    "is are was were be been being am do does did has have had can could will would may might "
    "not no very just also only too ready able being something someone ".split()
)
_NOUNS = frozenset(
    "building ceiling clothing clearing crossing dressing evening frosting icing landing lighting "
    "morning opening painting parking pudding railing seating setting siding topping wedding "
    "weed seed steed infrared".split()
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\w\s]|\d+")
_VERB = re.compile(r"\w*[aeiouy]\w*(?:ing|ed)")


def noun_phrases(caption: str) -> tuple[str, ...]:
    """Return the noun phrases of a caption in their order, each once.

    A phrase is a run of words between punctuation, numbers and function words (articles,
    prepositions, pronouns, auxiliaries). A word in -ing or -ed at the end of a run of several words
    is taken for a verb and dropped ("man riding" a horse); before other words it is taken for an
    adjective and kept ("striped star").

    Args:
        caption: a sentence in English.

    Returns:
        Phrases in lower case, without articles; () if there are none.
    """
    runs: list[list[str]] = [[]]
    for word in _WORD.findall(caption.lower()):
        if word in _BREAKS or not word[0].isalpha():
            runs.append([])
        else:
            runs[-1].append(word)
    phrases = [
        run[:-1] if len(run) > 1 and run[-1] not in _NOUNS and _VERB.fullmatch(run[-1]) else run
        for run in runs
    ]
    return tuple(dict.fromkeys(" ".join(words) for words in phrases if words))
