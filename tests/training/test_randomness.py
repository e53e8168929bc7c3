"""The randomness of a training: the config's, with defaults."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.training.randomness import randomness_of


def test_defaults_are_for_what_the_config_does_not_say():
    default = dict(seed=0, deterministic=False)
    for given in ({}, {"randomness": None}, {"randomness": {}}):
        assert randomness_of(Config(given)) == default
    config = Config({"randomness": dict(deterministic=True, diff_rank_seed=True)})
    assert randomness_of(config) == dict(seed=0, deterministic=True, diff_rank_seed=True)
    assert randomness_of(config, 5)["seed"] == 5
    assert randomness_of(Config({"randomness": dict(seed=None)}))["seed"] is None


@pytest.mark.parametrize("given", [5, dict(sead=1), dict(seed=-1), dict(seed="x"), dict(seed=True)])
def test_what_cannot_be_is_named(given):
    with pytest.raises(UserError, match="randomness"):
        randomness_of(Config({"randomness": given}))
