"""nbgrader's `zip_collect`, such that it finds the learners whom `unrolled class collect` finds.

nbgrader's own plugins unpack all that they are given, archives within archives, too, know learners
by a pattern of file names, and stop for everybody at two files of one name without times.
"""

import contextlib
import zipfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Unicode

from autograder.grading import books, classroom, collect
from autograder.grading.sanitise import line


class LMSExtractor(ExtractorPlugin):
    """Takes one notebook of each learner; of what is not taken, the log says why.

    Of several archives, the last in the order of their names that holds a learner's counts.
    """

    zone = Unicode("UTC", help="Of the learning system's clock.").tag(config=True)

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Put what the zip files in one folder hold into another, as LEARNER/NOTEBOOK."""
        course = self.parent.coursedir
        with contextlib.closing(Gradebook(course.db_url, course.course_id)) as gradebook:
            finder = collect.Finder(books.students(gradebook), ZoneInfo(self.zone))
            due = books.due(gradebook, course.assignment_id)
        notebook = classroom.only_notebook(Path(course.root), course.assignment_id)
        self.times: dict[str, datetime | None] = {}
        for archive in sorted(Path(archive_path).iterdir()):
            try:
                with zipfile.ZipFile(archive) as opened:
                    found = collect.look(opened, finder, notebook)
                    data = collect.contents(opened, found)
            except collect.UNREADABLE as error:
                self.log.warning("%s cannot be read as a zip file: %s", archive, error)
                continue
            for member, why in [*found.left, *found.passed]:
                self.log.warning("Left out: %s", line(f"{member}: {why}"))
            for student in found.unclear:
                self.log.warning(
                    "Left out: %s has several notebooks, none of which counts", student
                )
            for student, text in data.items():
                Path(extracted_path, student).mkdir(exist_ok=True)
                Path(extracted_path, student, notebook).write_bytes(text)
                self.times[student] = collect.counts(found.taken[student], due)


class LMSCollector(FileNameCollectorPlugin):
    """Tells nbgrader what the extractor has found."""

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Whose a file is, and when it was handed in."""
        path = Path(submitted_file)
        times = getattr(self.parent.extractor_plugin_inst, "times", {})
        if path.parent.name not in times:
            return None
        known = {"student_id": path.parent.name, "file_id": path.name}
        when = times[path.parent.name]
        return {**known, "timestamp": collect.as_stamp(when)} if when else known
