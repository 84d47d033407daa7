"""The commands of the guides, for the tests that follow them."""

import re

from autograder.tests.wheels import ROOT

DOCS = ROOT / "docs"


def blocks(guide):
    """The blocks of a guide: language, text, and the file that the line above it names, if any."""
    pattern = r"^(?:\*\*`([^`\n]+)`\*\*[^\n]*\n\n)?(`{3,})(\w+)\n(.*?)^\2$"
    found = re.findall(pattern, (DOCS / guide).read_text("utf-8"), re.S | re.M)
    return [(language, text, file) for file, _, language, text in found]


def scripts(guide):
    """The blocks of a guide that are to be run, in order."""
    return [text for language, text, _ in blocks(guide) if language == "bash"]
