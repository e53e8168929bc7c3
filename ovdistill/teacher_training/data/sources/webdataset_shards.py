"""Pairs of images and texts in tar files, read by the library webdataset."""

from __future__ import annotations

import random
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.extras import import_extra
from ovdistill.core.images import ImageError, decode_image
from ovdistill.teacher_training.data.registry import register_source
from ovdistill.teacher_training.data.source import Pair
from ovdistill.teacher_training.data.stream import PairStream

IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff")


@register_source
class WebdatasetShards(PairStream):
    """Tar files with an image and a text of the same name each: 0001.jpg, 0001.txt, ...

    The tar files are shared among the processes, and gone through in random order, again and again;
    within them, pairs are shuffled among ``shuffle`` ones that are kept in memory. Each worker of a
    process reads all its tar files, and decodes its part of the images.

    Args:
        shards: path with braces ("shards/{000..099}.tar") or several, or what else webdataset
            opens, such as "pipe:aws s3 cp s3://... -".
        image: suffix or suffixes of images within the files.
        text: suffix of texts within the files.
        shuffle: pairs to shuffle among.
        weight: see ``PairSource``.

    Raises:
        UserError: the library is not installed (ovdistill[webdataset]), or no tar file is named.
    """

    def __init__(
        self,
        shards: str | Sequence[str],
        image: str | Sequence[str] = IMAGE_SUFFIXES,
        text: str = "txt",
        shuffle: int = 1000,
        weight: float | None = None,
    ) -> None:
        super().__init__(weight)
        listed = [shards] if isinstance(shards, str) else list(shards)
        expand = import_extra("webdataset").shardlists.expand_urls
        self.shards: list[str] = [name for each in listed for name in expand(each)]
        if not self.shards:
            raise UserError(f"no tar files in shards={shards!r:.100}; expected one or more")
        self.image_suffixes = (image,) if isinstance(image, str) else tuple(image)
        self.text_suffix, self.shuffle = text, shuffle

    def stream(self, seed: int, rank: int, ranks: int) -> Iterator[_Record]:
        """Yield the pairs of a process, see ``PairStream``.

        Raises:
            UserError: a tar file that cannot be read, one without pairs, or fewer of them than
                processes.
        """
        if len(self.shards) < ranks:
            raise UserError(
                f"{len(self.shards)} tar files for {ranks} processes; expected one for each"
            )
        epoch = 0
        while True:
            order = np.random.default_rng((seed, epoch)).permutation(len(self.shards))
            count = 0
            for sample in self._samples([self.shards[i] for i in order[rank::ranks]], seed, epoch):
                count += 1
                yield _Record(self, sample)
            if not count:
                raise UserError(f"no files in the tar files {self.shards[0]}, ...; expected pairs")
            epoch += 1

    def _samples(self, shards: list[str], seed: int, epoch: int) -> Iterator[Mapping[str, Any]]:
        wds = import_extra("webdataset")
        pipeline = wds.DataPipeline(
            wds.SimpleShardList(shards),
            wds.tarfile_to_samples(),
            wds.shuffle(self.shuffle, rng=random.Random(f"{seed} {epoch}")),
        )
        try:
            yield from pipeline
        except (OSError, tarfile.TarError, ValueError) as error:
            raise UserError(f"cannot read the tar files {shards[0]}, ...: {error}") from error

    def decode(self, sample: Mapping[str, Any]) -> Pair:
        """Return the pair of the bytes of its files.

        Raises:
            ImageError: the image cannot be used, there is none, or no text in UTF-8.
        """
        name = f"{sample.get('__url__')}/{sample['__key__']}"
        image = next((sample[key] for key in self.image_suffixes if key in sample), None)
        try:
            text = sample.get(self.text_suffix, b"").decode("utf-8").strip()
        except UnicodeDecodeError:
            raise ImageError(name, f"its {self.text_suffix} is no text in UTF-8") from None
        if image is None or not text:
            files = ", ".join(key for key in sample if not key.startswith("_"))
            raise ImageError(
                name,
                f"it has {files or 'nothing'}; expected a text under {self.text_suffix!r} and an "
                f"image under one of {', '.join(self.image_suffixes)}",
            )
        return Pair(decode_image(image, name), text)


class _Record:
    """The bytes of a pair; calling it decodes them."""

    def __init__(self, source: WebdatasetShards, sample: Mapping[str, Any]) -> None:
        self.source, self.sample = source, sample

    def __call__(self, rng: np.random.Generator) -> Pair:
        return self.source.decode(self.sample)
