"""The text of a config is laid out once, and is the same as mmengine's own."""

import pytest
from mmengine.config import Config
from yapf.yapflib import yapf_api

from ovdistill.models import config_text


@pytest.fixture
def counted(monkeypatch):
    """The texts that yapf was given."""
    given = []
    own = config_text.lay_out

    def count(code, **options):
        given.append(code)
        return own(code, **options)

    config_text._remembered.cache_clear()
    monkeypatch.setattr(config_text, "lay_out", count)
    config_text.install()
    yield given
    config_text._remembered.cache_clear()


def test_the_same_text_without_the_work(counted, monkeypatch, tmp_path):
    config = Config(dict(model=dict(type="A", head=dict(bias=-2.0, names=["a"] * 40)), lr=0.1))
    texts = [config.pretty_text for _ in range(3)]
    config.dump(tmp_path / "config.py")
    assert len(counted) == 1
    assert (tmp_path / "config.py").read_text() == texts[0]
    config.lr = 0.2
    assert "lr = 0.2" in config.pretty_text and len(counted) == 2
    config.lr = 0.1
    monkeypatch.setattr(yapf_api, "FormatCode", config_text.lay_out)
    assert config.pretty_text == texts[0] == texts[2]
