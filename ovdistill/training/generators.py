"""The random generators of a process, as data that a checkpoint can hold."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from ovdistill.core.errors import UserError

States = dict[str, Any]


def generator_states() -> States:
    """Return the states of Python's, numpy's and torch's generators, as plain data and tensors."""
    of_numpy: Any = np.random.get_state(legacy=False)
    words = of_numpy["state"]["key"].astype(np.int64)  # torch has few functions for uint32
    states: States = {
        "python": random.getstate(),
        "numpy": of_numpy | dict(state=of_numpy["state"] | dict(key=torch.from_numpy(words))),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def set_generators(states: States) -> None:
    """Set the generators to states that ``generator_states`` has returned.

    Raises:
        UserError: they are of another form.
    """
    try:
        version, numbers, gauss = states["python"]
        random.setstate((version, tuple(numbers), gauss))
        of_numpy = states["numpy"]
        words = of_numpy["state"]["key"].numpy().astype(np.uint32)
        np.random.set_state(of_numpy | dict(state=of_numpy["state"] | dict(key=words)))
        torch.set_rng_state(states["torch"])
        if torch.cuda.is_available() and "cuda" in states:
            torch.cuda.set_rng_state(states["cuda"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"the states of the random generators in the checkpoint cannot be used ({error})"
        ) from error
