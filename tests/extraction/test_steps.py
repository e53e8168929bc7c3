"""The steps of ``prepare`` in a config: slips in them are found before anything is made."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.extraction.prepare import check_config
from ovdistill.models.config import load_config


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("prepare", 5, "prepare = 5"),
        ("prepare.vocabluary", dict(path="x"), "'vocabluary': did you mean vocabulary"),
        ("prepare.regions", "x", r"prepare\.regions: got 'x'"),
        ("prepare.regions.per_imge", 5, r"prepare\.regions: got per_imge=.*did you mean per_image"),
        ("prepare.captions", dict(path="x"), "needs annotations"),
        ("prepare.proposals.options", {"model.backbone.type": "ResNett"}, r"proposals_r18_shapes"),
        ("model.backbone.type", "ResNett", r"model\.backbone: got type='ResNett'"),
    ],
)
def test_slips(key: str, value: object, named: str) -> None:
    config = load_config("vild_r18_shapes", {key: value})
    with pytest.raises(UserError, match=rf"^[^\n]*{named}[^\n]*$"):
        check_config(config)


def test_no_steps() -> None:
    for options in ({"prepare": None}, {"prepare.regions": None, "prepare.proposals": None}):
        check_config(load_config("vild_r18_shapes", options))
