"""Settings out of their range, and what a vocabulary says of them."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary.learn import Recipe


@pytest.mark.parametrize(
    "values",
    [
        dict(context=0),
        dict(epochs=0),
        dict(batch=-1),
        dict(lr=0.0),
        dict(temperature=float("nan")),
        dict(background=1.5),
        dict(momentum=1.0),
        dict(weight_decay=-1.0),
        dict(warmup=1.0),
        dict(name_position="left"),
        dict(bins="many"),
        dict(spelling="raw"),
    ],
)
def test_bad_recipes(values):
    with pytest.raises(UserError, match=f"got {next(iter(values))} = .*expected"):
        Recipe(**values)


def test_edges_and_description():
    assert Recipe().edges == (0.5, 0.6, 0.7, 0.8, 0.9)
    recipe = Recipe(init="a photo of a", bins="single", name_position="front", seed=3)
    assert recipe.edges == (0.5,)
    assert recipe.describe() == (
        "learned: from 'a photo of a', name (words) at the front, IoU bins 0.5 to 1, "
        "background 0.1, 6 epochs, lr 0.002, seed 3"
    )
    published = dict(batch=32, temperature=0.01, momentum=0.9, weight_decay=5e-4, warmup=0.5)
    assert Recipe(**published).describe() == (
        f"{Recipe().describe()}, batch 32, temperature 0.01, momentum 0.9, weight decay 0.0005, "
        "warm-up 0.5"
    )
