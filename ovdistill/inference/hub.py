"""Copies of a published detector: in another folder, and on the model hub."""

from __future__ import annotations

import glob
import shutil
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file
from ovdistill.core.offline import is_offline
from ovdistill.inference.pretrained import CONFIG, OPTIONAL, TEACHER, DetectorFiles
from ovdistill.inference.published_files import published_files, remove_former

# of a detector that was in a repository before
FORMER = (
    *OPTIONAL,
    f"{TEACHER}/*",
    "adapter-[0-9]*.safetensors",
    "embedding_map-[0-9]*.safetensors",
)


def copy_detector(files: DetectorFiles, folder: Path) -> None:
    """Copy the files of a published detector, see ``published_files``; the config last.

    A detector that is in the folder is replaced, see ``remove_former``.

    Raises:
        UserError: the detector was not published, or the folder is its own.
    """
    source = _published(files)
    if folder.resolve() == source.resolve():
        raise UserError(f"{folder} is the folder that the detector comes from; expected another")
    folder.mkdir(parents=True, exist_ok=True)
    found = published_files(files.config)
    remove_former(folder, {path.relative_to(source).as_posix() for path in found})
    for path in found:
        with atomic_file(folder / path.relative_to(source)) as temporary:
            shutil.copyfile(path, temporary)


def push_detector(
    files: DetectorFiles, repo_id: str, *, private: bool, token: str | None, message: str
) -> str:
    """Upload a published detector to the model hub; the repository is made if it is missing.

    Files of a detector that was there before are deleted, see ``FORMER``.

    Returns:
        The address of the repository.

    Raises:
        UserError: the detector was not published, or the hub cannot be reached or refuses.
    """
    source = _published(files)
    if is_offline():
        raise UserError("got push_to_hub while downloads are switched off (HF_HUB_OFFLINE)")
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(token=token)
    try:
        address = api.create_repo(repo_id, private=private, exist_ok=True)
        names = [path.relative_to(source).as_posix() for path in published_files(files.config)]
        api.upload_folder(
            repo_id=repo_id,
            folder_path=source,
            commit_message=message,
            allow_patterns=[glob.escape(name) for name in names],
            delete_patterns=[*FORMER],  # those that are uploaded are replaced
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UserError(f"cannot upload to {repo_id}: {str(error).splitlines()[0]}") from error
    return str(address)


def _published(files: DetectorFiles) -> Path:
    folder = files.config.parent
    if files.config.stem != Path(CONFIG).stem or files.weights.parent != folder:
        raise UserError(
            f"the detector of {files.config} was not published; first: ovdistill publish "
            f"{files.config} {files.weights} -o FOLDER"
        )
    return folder


class HubMixin:
    """The part of a detector that hands it on, with the names of ``PyTorchModelHubMixin``.

    Attributes:
        files: config, weights and vocabulary of the detector.
    """

    files: DetectorFiles

    def save_pretrained(self, folder: str | Path) -> None:
        """Copy a published detector into another folder, see ``copy_detector``."""
        copy_detector(self.files, Path(folder))

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = False,
        token: str | None = None,
        commit_message: str = "Upload an ovdistill detector",
    ) -> str:
        """Upload a published detector to the model hub, see ``push_detector``.

        Args:
            repo_id: such as "user/detector".
            private: of a repository that is made.
            token: of the hub; by default, the one that is logged in.
            commit_message: of the upload.

        Returns:
            The address of the repository.
        """
        return push_detector(
            self.files, repo_id, private=private, token=token, message=commit_message
        )
