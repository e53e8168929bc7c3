from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable
import numpy as np
from ovdistill.core.images import read_image, find_images
Image = Any
@dataclass(frozen=True)
class ImageSource:
    name: str
    path: Path | None
    load: Callable[[], np.ndarray]
def is_one_image(x): return isinstance(x, np.ndarray) or (isinstance(x,(str,Path)) and Path(x).is_file())
def find_sources(x):
    if isinstance(x, np.ndarray): return [ImageSource("array",None,lambda: x)]
    if isinstance(x,(list,tuple)): return [s for y in x for s in find_sources(y)]
    return [ImageSource(p.name,p,lambda p=p: read_image(p)) for p in find_images(Path(x))]
