"""The training loop of adaptations."""

import pytest
import torch

from ovdistill.core.errors import DivergedError
from ovdistill.teacher_training.adapt.clip_adapter import ClipAdapterMethod
from ovdistill.teacher_training.adapt.fit import fit


def test_a_loss_falls_and_is_reported():
    value, lines = torch.ones(2, requires_grad=True), []
    method = ClipAdapterMethod(epochs=5, batch=2, lr=0.1)
    fit([value], lambda rows: value.square().sum(), 6, method, lines.append)
    assert float(value.detach().square().sum()) < 1
    assert [line.split(":")[0] for line in lines] == [f"epoch {n} of 5" for n in range(1, 6)]


@pytest.mark.parametrize(
    ("loss", "message"), [("nan", "the loss of epoch 1 is nan"), ("inf", "learned is not finite")]
)
def test_what_diverges_ends_with_an_exit_code_of_its_own(loss, message):
    value = torch.full((1,), -3.4e38, requires_grad=True)  # a step below is no float32

    def loss_of(rows):
        return value.sum() * torch.nan if loss == "nan" else value.sum()

    method = ClipAdapterMethod(epochs=1, lr=3e37)
    with pytest.raises(DivergedError, match=f"{message}.*lower --lr") as caught:
        fit([value], loss_of, 1, method, print)
    assert caught.value.exit_code == 3
