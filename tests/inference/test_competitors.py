"""Which class names compete with those that a user asks for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from ovdistill.core.name_words import singular, words
from ovdistill.inference.competitors import competitors, far_names, kinds
from ovdistill.inference.prompts import parse_prompts
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.names import Names

KNOWN = ("solid star", "striped star", "solid ring", "striped ring", "moon")


def vocabulary(*names: str, rows: torch.Tensor | None = None, **parts) -> Vocabulary:
    """Names with embeddings at right angles, so that their words alone decide."""
    embeddings = torch.eye(40)[: len(names)] if rows is None else rows
    return Vocabulary(names, embeddings, torch.ones(len(names), dtype=torch.bool), "t", **parts)


def clip_texts() -> Path:
    return Path(os.environ["OVDISTILL_REAL_DATA"]) / "clip_text"


def lvis_vocabulary() -> Vocabulary:
    info = json.loads((clip_texts() / "lvis_v1_train_cat_info.json").read_text())
    return Vocabulary.from_array(
        np.load(clip_texts() / "lvis_v1_clip_a+cname.npy").astype(np.float32),
        Names(tuple(one["name"].replace("_", " ") for one in info)),
        "clip",
    )


def kept(*queries: str, **parts) -> tuple[str, ...]:
    rows = torch.eye(40)[20 : 20 + len(queries)]
    rivals = competitors(vocabulary(*queries, rows=rows), vocabulary(*KNOWN, **parts))
    return () if rivals is None else rivals.names


@pytest.mark.parametrize(
    "query, left_out",
    [
        ("moon", {"moon"}),
        ("MOONS", {"moon"}),
        ("red striped star", {"striped star"}),  # says no more than the query
        ("star", {"solid star", "striped star"}),  # say more than the query
        ("green star", {"solid star", "striped star"}),  # no class name has a colour
        ("striped thing", {"striped star", "striped ring"}),
        ("zebra", set()),
    ],
)
def test_names_that_mean_the_same_do_not_compete(query, left_out):
    assert kept(query) == tuple(name for name in KNOWN if name not in left_out)


def test_synonyms_and_several_queries_count():
    synonyms = (("orb",), (), (), (), ("crescent",))
    assert "moon" not in kept("crescents", synonyms=synonyms)
    assert kept("star", "ring") == ("moon",)
    assert kept("star", "ring", "moon") == ()


def test_names_with_nearly_the_same_embedding_do_not_compete():
    rows = torch.nn.functional.normalize(torch.eye(8)[:5] + 3, dim=1)  # a mean as CLIP's texts have
    near = torch.nn.functional.normalize(rows[4:5] + 0.01, dim=1)
    rivals = competitors(vocabulary("luna", rows=near), vocabulary(*KNOWN, rows=rows))
    assert rivals.names == KNOWN[:4]


def test_names_that_are_far_from_all_are_told():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(6, 40, generator=generator).repeat_interleave(2, dim=0)  # pairs of names
    rows = torch.nn.functional.normalize(
        rows + 0.1 * torch.randn(12, 40, generator=generator), dim=1
    )
    known = vocabulary(*(f"thing {i}" for i in range(12)), rows=rows)
    alone = torch.nn.functional.normalize(torch.randn(2, 40, generator=generator), dim=1)
    asked = vocabulary("zebra", "odd thing", "twin", rows=torch.cat([alone, rows[:1]]))
    assert [name for name, _ in far_names(asked, known)] == ["zebra"]  # "thing" is a known word
    assert far_names(asked, known.only({"thing 1", "thing 2"})) == []  # too few to tell


@pytest.mark.skipif("OVDISTILL_REAL_DATA" not in os.environ, reason="needs CLIP's embeddings")
def test_of_clips_embeddings_synonyms_go_and_neighbours_stay():
    lvis = lvis_vocabulary()
    rows = np.load(clip_texts() / "coco_clip_a+cname.npy").astype(np.float32)
    coco = Vocabulary.from_array(rows, [f"coco {i}" for i in range(80)], "clip")  # no known word
    rivals = {i: competitors(coco.only({f"coco {i}"}), lvis).names for i in (15, 16, 27, 54, 57)}
    assert "sofa" not in rivals[57] and "doughnut" not in rivals[54] and "necktie" not in rivals[27]
    assert "dog" in rivals[15] and "cat" in rivals[16] and "bagel" in rivals[54]
    assert all(len(names) > 1190 for names in rivals.values())


@pytest.mark.parametrize(
    "text, expected",
    [
        ("star", {"star": ("solid star", "striped star")}),
        ("STARS, moon", {"STARS": ("solid star", "striped star")}),
        ("striped star", {}),  # is one itself
        ("striped", {}),  # what a name begins with is no kind
        ("star, green star", {}),  # a solid star may be either
        ("zebra", {}),
    ],
)
def test_kinds_end_with_the_words_of_a_query(text, expected):
    prompts = parse_prompts(text)
    rows = vocabulary(*prompts.rows, rows=torch.eye(40)[: len(prompts.rows)])
    known = vocabulary(*KNOWN, rows=alike(rows.embeddings[:1], len(KNOWN)))
    assert kinds(prompts, rows, known) == expected


def alike(row: torch.Tensor, count: int) -> torch.Tensor:
    """Embeddings that have a mean, without which the first two are near the row."""
    near = torch.nn.functional.normalize(torch.eye(40)[-count:] * 0.5 + row, dim=1)
    return torch.cat([near[:2], torch.eye(40)[-count + 2 :]])


def test_what_means_something_else_is_no_kind():
    prompts = parse_prompts("star")
    rows = vocabulary("star", rows=torch.eye(40)[:1])
    assert kinds(prompts, rows, vocabulary(*KNOWN, rows=torch.eye(40)[10:15])) == {}


@pytest.mark.skipif("OVDISTILL_REAL_DATA" not in os.environ, reason="needs CLIP's embeddings")
def test_of_clips_embeddings_a_tow_truck_is_a_truck_and_a_gravy_boat_no_boat():
    lvis = lvis_vocabulary()
    rows = lvis.only({"truck", "boat", "can", "chair"})
    found = kinds(parse_prompts(rows.names), rows, lvis)
    assert {"garbage truck", "tow truck", "pickup truck"} <= set(found["truck"])
    assert "river boat" in found["boat"]
    assert not {"gravy boat", "gondola (boat)"} & set(found["boat"])
    assert "beer can" in found["can"] and "trash can" not in found["can"]
    assert {"rocking chair", "folding chair"} <= set(found["chair"])


def test_words():
    assert words("Traffic_Lights (red)") == {"traffic", "light"}
    plurals = ("boxes", "berries", "glass", "stars", "bus", "dishes")
    assert list(map(singular, plurals)) == ["box", "berry", "glass", "star", "bus", "dish"]
