"""Images in a folder for each class, and the names of the folders."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.class_folders import read_class_folders, read_class_names


@pytest.fixture
def folder(tmp_path):
    """Two classes with images (which are not opened), one without, and other files."""
    for name in ("n2/b10.jpg", "n2/b9.JPG", "n2/deep/c.png", "n10/a.webp", "n10/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in ("n3", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "beside.jpg").touch()
    return tmp_path


@pytest.fixture
def table(tmp_path_factory):
    return tmp_path_factory.mktemp("names") / "names.csv"


def test_images_by_folder_in_the_order_of_image_folder(folder):
    found = read_class_folders(folder)
    paths = {name: [str(path.relative_to(folder)) for path in own] for name, own in
             found.images.items()}  # fmt: skip
    assert paths == {"n10": ["n10/a.webp"], "n2": ["n2/b9.JPG", "n2/b10.jpg", "n2/deep/c.png"],
                     "n3": []}  # fmt: skip
    assert [*paths] == ["n10", "n2", "n3"]  # as torchvision sorts them
    assert (found.empty, found.others) == (["n3"], 2)


def test_names_of_the_folders_or_of_a_file(folder, table):
    found = read_class_folders(folder)
    assert read_class_names(found, None) == {"n10": "n10", "n2": "n2", "n3": "n3"}
    table.write_text("cat\ndog\nemu\n")
    assert [*read_class_names(found, table).values()] == ["cat", "dog", "emu"]
    table.write_text('number,name,folder\n1,emu,n3\n2,"dog, small",n2\n3,cat,n10\n4,fox,n4\n')
    assert read_class_names(found, table) == {"n10": "cat", "n2": "dog, small", "n3": "emu"}
    tabs = table.with_suffix(".tsv")
    tabs.write_text("folder\tname\nn10\tcat\nn2\tdog\nn3\temu\n")
    assert read_class_names(found, tabs)["n2"] == "dog"
    table.write_text("name\ncat\ndog\nemu\n")  # a table of names alone: in the folders' order
    assert read_class_names(found, table) == {"n10": "cat", "n2": "dog", "n3": "emu"}


@pytest.mark.parametrize("header", ["Folder,Name", "folder, name", "folder;name", " NAME,Folder"])
def test_headers_of_many_spellings(header, folder, table):
    """No row may be taken for the next folder's, in the order of the folders' names."""
    rows = [("n3", "emu"), ("n2", "dog"), ("n10", "cat")]
    between = ";" if ";" in header else ", "
    swapped = slice(None, None, -1 if "NAME" in header else 1)
    table.write_text("\n".join([header, *(between.join(row[swapped]) for row in rows)]))
    names = read_class_names(read_class_folders(folder), table)
    assert names == dict(reversed(rows))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name\ncat\ndog\n", "2 names, .* 3 class folders"),
        ("folder,name\nn10,cat\nn02,dog\nn3,emu\n", "1 of 3 class folders .*'n2'"),
        ("folder,name\nn10,cat\nn10,dog\nn2,emu\n", "row 3: folder 'n10', name 'dog'"),
        ("folder,name\nn10,cat\nn2,\nn3,emu\n", "row 3: folder 'n2', name ''"),
        ("folder,name\nn10,cat\nn2\nn3,emu\n", "row 3 has 1 cells"),
        ("folder,name\nn10,Cat\nn2,cat\nn3,emu\n", "are one class"),
        ("folder,name\nn10,\xe9", "as a table"),
        ("folder,class\nn3,emu\nn2,dog\nn10,cat\n", "the columns 'folder', 'class'; expected"),
    ],
)
def test_names_that_do_not_fit(content, message, folder, table):
    table.write_text(content, encoding="latin-1")
    with pytest.raises(UserError, match=message):
        read_class_names(read_class_folders(folder), table)


def test_one_class_or_none(folder, tmp_path_factory):
    (folder / "n10" / "a.webp").unlink()
    with pytest.raises(UserError, match="3 folders .*1 of them with images, and 1 images beside"):
        read_class_folders(folder)
    parent = tmp_path_factory.mktemp("parent")
    with pytest.raises(UserError, match="has 0 folders"):
        read_class_folders(parent)
    (parent / "val" / "cat").mkdir(parents=True)
    (parent / "val" / "cat" / "a.png").touch()
    with pytest.raises(UserError, match="name one of its subsets, such as .*/val"):
        read_class_folders(parent)
    with pytest.raises(UserError, match="cannot list"):
        read_class_folders(parent / "none")
