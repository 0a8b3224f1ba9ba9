"""Results of jobs: links to the files that a job made."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from handlers.common.problems import Problem
from handlers.common.times import utc_now
from handlers.projects.models import Job, Result, ResultPage
from schema.jobs import COMPLETED, FAILED, PARTS_PREFIX
from schema.limits import LINK_SECONDS

# A key in Amazon S3 has at most 1,024 bytes, of which about 100 are the job's prefix.
_MAX_NAME_BYTES = 900
# Sorts after all parts. They are not listed: the merging job has put what is in them into the other files.
_BEHIND_PARTS = PARTS_PREFIX + "\U0010ffff"
_NOT_IN_NAMES = re.compile("[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def is_file(text: str) -> bool:
    """Tell whether a text can be the name of a result."""
    return 1 <= len(text.encode(errors="replace")) <= _MAX_NAME_BYTES and not _NOT_IN_NAMES.search(text)


class Results:
    """The files that jobs made.

    Parameters
    ----------
    s3
        A client of S3.
    bucket
        Where the files are.
    """

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def list(self, job: Job, prefix: str, limit: int, position: str | None) -> tuple[ResultPage, str | None]:
        """List the files of a job that has ended by name, with links to them.

        Parameters
        ----------
        job
            The job.
        prefix
            What the keys of its files start with.
        limit
            At most so many.
        position
            The name after which to begin.

        Returns
        -------
        The files, and the name after which the next page begins, if there is one.

        Raises
        ------
        Problem
            The job has neither completed nor failed.
        """
        if job.status not in (COMPLETED, FAILED):
            expected = "only a job that has completed has results, and one that has failed a report"
            raise Problem("job-not-completed", f"The job is {job.status}; {expected}.")
        expires_at = utc_now(LINK_SECONDS)
        found = self._sizes(prefix, limit + 1, position)
        results = [Result(name, size, self._link(prefix + name)) for name, size in found[:limit]]
        return ResultPage(job.job, results, expires_at, None), results[-1].name if len(found) > limit else None

    def _sizes(self, prefix: str, limit: int, after: str | None) -> list[tuple[str, int]]:
        """List files by name, each with its bytes, without the parts."""
        found: list[tuple[str, int]] = []
        while True:
            start = {"StartAfter": prefix + after} if after else {}
            page = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=limit - len(found), **start)
            names = [(content["Key"].removeprefix(prefix), content["Size"]) for content in page.get("Contents", [])]
            found += [(name, size) for name, size in names if not name.startswith(PARTS_PREFIX)]
            if not page["IsTruncated"] or len(found) == limit:
                return found
            last = names[-1][0]
            after = _BEHIND_PARTS if last.startswith(PARTS_PREFIX) else last

    def _link(self, key: str) -> str:
        # A file to save, never a page to show: HTML that a document brought must not run in the browser.
        file_name = quote(PurePosixPath(key).name, safe="")
        return self._s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentDisposition": f"attachment; filename*=UTF-8''{file_name}",
            },
            ExpiresIn=LINK_SECONDS,
        )
