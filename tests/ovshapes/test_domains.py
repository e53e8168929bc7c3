"""Domains: the same objects, drawn in another way."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.ovshapes.categories import BACKGROUNDS, PATTERNS
from ovdistill.ovshapes.domains import CRAYON, DOMAINS, PAINTED, check_domain
from ovdistill.ovshapes.drawing import stamp
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.ovshapes.scenes import scene

TINY = {"train": 3, "val": 2, "test": 1, "workers": 1}
# Pixels of the painted domain, drawn before there were others
PAINTED_DIGESTS = {0: "ded6952bff3d19b6", 1: "15ed9390218f1658"}


@pytest.mark.parametrize("seed", PAINTED_DIGESTS)
def test_the_painted_domain_is_what_it_was(seed):
    pixels = scene(np.random.default_rng(seed)).image.tobytes()
    assert hashlib.sha256(pixels).hexdigest()[:16] == PAINTED_DIGESTS[seed]


def test_domains_differ_in_pixels_alone():
    for seed in range(5):
        painted, crayon = (
            scene(np.random.default_rng(seed), domain=domain) for domain in (PAINTED, CRAYON)
        )
        assert crayon.caption == painted.caption
        assert np.abs(crayon.image.astype(int) - painted.image).mean() > 10
        for a, b in zip(painted.objects, crayon.objects, strict=True):
            assert (a.name, a.colour) == (b.name, b.colour)
            np.testing.assert_array_equal(a.mask, b.mask)


def test_files_have_the_same_annotations(tmp_path):
    painted = make_ovshapes(tmp_path / "a", **TINY)
    crayon = make_ovshapes(tmp_path / "b", domain=CRAYON, **TINY)
    for path in sorted((painted / "annotations").iterdir()):
        assert path.read_bytes() == (crayon / "annotations" / path.name).read_bytes()
    for path in sorted((painted / "images").rglob("*.png")):
        assert path.read_bytes() != (crayon / path.relative_to(painted)).read_bytes()


def test_another_domain_is_another_data_set(tmp_path):
    root = make_ovshapes(tmp_path, domain=CRAYON, **TINY)
    before = (root / "shapes.json").stat().st_mtime_ns
    make_ovshapes(root, domain=CRAYON, **TINY)
    assert (root / "shapes.json").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="crayon"):
        make_ovshapes(root, **TINY)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_object_stays_in_its_silhouette(pattern):
    rng = np.random.default_rng(0)
    paper = np.full((64, 64, 3), 150, np.float32)
    canvas, item = paper.copy(), stamp("square", 40, 0.2, (32, 32))
    DOMAINS[CRAYON].paint(canvas, paper, item, pattern, "red", rng)
    covered = np.zeros((64, 64), bool)
    covered[item.window()] = item.cover > 0
    changed = np.abs(canvas - paper).max(axis=2) > 0
    assert not changed[~covered].any()
    share = changed[covered].mean()
    assert 0.3 < share < 0.75 if pattern == "outlined" else share > 0.95


@pytest.mark.parametrize("kind", BACKGROUNDS)
@pytest.mark.parametrize("size", [64, 96])
def test_paper_is_rough(kind, size):
    paper = DOMAINS[CRAYON].background(kind, size, np.random.default_rng(1))
    assert paper.shape == (size, size, 3) and paper.dtype == np.float32
    assert paper.std() > 8 and paper.min() >= 0 and paper.max() <= 255


def test_an_unknown_domain_is_named():
    with pytest.raises(UserError, match="'oil'"):
        check_domain("oil")
