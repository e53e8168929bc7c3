"""Which class names compete with those that a user asks for.

A detector gives each region to the class name that fits it best. Asked for "outlined heart" alone,
it calls every outlined thing an outlined heart, because nothing fits better. So the class names of
its training compete, without being reported, save those that mean the same as a query or more:
"striped star" must not take the objects of "red striped star", and none of the stars those of
"star" or "green star".

Shapes: Q queries, W class names of the detector, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.name_words import PARENTHESES, spelling, words
from ovdistill.inference.prompts import Prompts
from ovdistill.vocabulary import Vocabulary

# Cosine of two text embeddings without their mean. Of CLIP ViT-B/32, sofa and couch have 0.82,
# doughnut and donut 0.91, pony and horse 0.72; cat and dog, or bagel and donut, at most 0.62.
SAME_MEANING = 0.7
# Of 131 pairs of LVIS such as truck and tow truck, 0.53, the pairs below are of other things, such
# as boat and gravy boat, 0.28, can and trash can, 0.17; or plate and license plate, 0.39.
ALIKE = 0.4
FAR = 0.05  # quantile of the cosines of class names with their nearest other one
FEWEST = 10  # class names, from which on these quantiles say something


def competitors(queries: Vocabulary, known: Vocabulary) -> Vocabulary | None:
    """Return the class names of a detector that compete with queries, or None if there are none.

    A class name does not compete with a query if
    - it is the query, or a synonym of it, whatever the case and the plural;
    - it says no more than the query: its words are all in the query;
    - it says more than the query: those of the query's words that any class name has are in it;
    - their text embeddings are about the same, without the mean of all.

    Args:
        queries: the class names that a user asks for.
        known: the class names that the detector was trained with, of the same teacher.
    """
    taken = _close(queries.embeddings, known.embeddings)
    vocabulary_words = set().union(*map(words, known.names))
    synonyms = known.synonyms or ((),) * len(known)
    asked = [words(query) for query in queries.names]
    kept = [
        name
        for name, close, others in zip(known.names, taken.tolist(), synonyms, strict=True)
        if not close
        and not any(
            _same(query, words(phrase), vocabulary_words)
            for query in asked
            for phrase in (name, *others)
        )
    ]
    return known.only(kept) if kept else None


def kinds(prompts: Prompts, rows: Vocabulary, known: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Return the class names of a detector that are kinds of a query, as "fire truck" of "truck".

    A detector that was trained with all kinds of trucks, and never with "truck", gives a truck that
    is asked for as "truck" to none of them. A kind ends with the words of the query, and means
    something alike: a gravy boat is no boat. One that may be of several queries is of none.

    Args:
        prompts: what a user asks for.
        rows: its P phrases with their embeddings.
        known: the class names that the detector was trained with, of the same teacher.

    Returns:
        The kinds of each query that has some.
    """
    vocabulary_words = set().union(*map(words, known.names))
    cosines = _cosines(rows.embeddings, known.embeddings)
    asked = [spelling(phrase) for phrase in rows.names]
    found: dict[str, list[str]] = {}
    for column, name in enumerate(known.names):
        related = {
            query
            for query, phrase in zip(prompts.classes, rows.names, strict=True)
            if _same(words(phrase), words(name), vocabulary_words)
        }
        if len(related) > 1:
            continue
        spelled = spelling(PARENTHESES.sub(" ", name))  # a "gondola (boat)" ends with gondola
        for row, query in enumerate(prompts.classes):
            ends = len(spelled) > len(asked[row]) and spelled[-len(asked[row]) :] == asked[row]
            if ends and cosines[row, column] >= ALIKE:
                found.setdefault(prompts.names[query], []).append(name)
                break
    return {query: tuple(names) for query, names in found.items()}


def far_names(queries: Vocabulary, known: Vocabulary) -> list[tuple[str, str]]:
    """Return the queries that are far from all that a detector was trained with.

    They share no word with any class name, and their text embedding is farther from the nearest one
    than 95 of 100 class names are from the nearest other one.

    Args:
        queries: the class names that a user asks for.
        known: the class names of the training.

    Returns:
        Each such query with the class name that is nearest to it.
    """
    if len(known) < FEWEST:
        return []
    vocabulary_words = set().union(*map(words, known.names))
    strange = [not words(query) & vocabulary_words for query in queries.names]
    if not any(strange):
        return []
    among = _cosines(known.embeddings, known.embeddings).fill_diagonal_(-1).amax(dim=1)
    cosine, nearest = _cosines(queries.embeddings, known.embeddings).max(dim=1)
    far = cosine < among.quantile(FAR)
    return [
        (query, known.names[index])
        for query, index, is_far, is_strange in zip(
            queries.names, nearest, far, strange, strict=True
        )
        if is_far and is_strange
    ]


def _same(query: frozenset[str], name: frozenset[str], known: set[str]) -> bool:
    """Return whether a name says no more than the query, or all of it that the names can say."""
    familiar = query & known
    return (bool(name) and name <= query) or (bool(familiar) and familiar <= name)


def _close(queries: Tensor, known: Tensor) -> Tensor:
    """Return (W,) bool: whether a class name means about the same as any query."""
    if len(known) < 2:
        return torch.zeros(len(known), dtype=torch.bool)
    return (_cosines(queries, known) > SAME_MEANING).any(dim=0)


def _cosines(queries: Tensor, known: Tensor) -> Tensor:
    """Return (Q, W) cosines without the mean, since CLIP's texts have 0.7 whatever they mean."""
    mean = known.mean(dim=0)
    return normalize(queries - mean, dim=1) @ normalize(known - mean, dim=1).T
