"""Download the files that a job made: each is complete or absent, and inside the chosen folder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

import httpx

from cli.api import backoff
from cli.api.client import Api, is_passing
from cli.api.transfers import CHUNK_BYTES, Stop
from cli.ui.errors import CliError
from schema.limits import PAGE_ENTRIES
from schema.retry import attempts

# Between two parts of a file.
TIMEOUT = httpx.Timeout(60, connect=5)
# A link that ends this soon is replaced first.
REPLACED_BEFORE = timedelta(seconds=60)


@dataclass(frozen=True)
class ResultFile:
    """A file that a job made.

    Attributes
    ----------
    name : str
        Its path among the results.
    size : int
        Its bytes.
    page : int
        The page of the list that has its link.
    """

    name: str
    size: int
    page: int


class ResultList:
    """The files that a job made, and links to them, which end and are replaced. Threads may share it.

    Parameters
    ----------
    api : Api
    project, job : str
        Ids of the project and the job.
    """

    def __init__(self, api: Api, project: str, job: str):
        self._api = api
        self._path = ("projects", project, "jobs", job, "results")
        self._cursors: list[str | None] = []
        self._pages: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def files(self) -> list[ResultFile]:
        """List all files."""
        files: list[ResultFile] = []
        cursor: str | None = None
        while True:
            page = self._read(cursor)
            files += [ResultFile(one["name"], one["size"], len(self._pages)) for one in page["results"]]
            self._cursors.append(cursor)
            self._pages.append(page)
            cursor = page["next"]
            if cursor is None:
                return files

    def link(self, file: ResultFile, refused: str | None = None) -> str:
        """Return a link to a file.

        Parameters
        ----------
        file : ResultFile
        refused : str, optional
            A link that was refused, and is to be replaced.

        Raises
        ------
        CliError
            When the file is not in the list any more.
        """
        with self._lock:
            page = self._pages[file.page]
            if _links(page).get(file.name) == refused or _ends_at(page) - datetime.now(UTC) < REPLACED_BEFORE:
                page = self._pages[file.page] = self._read(self._cursors[file.page])
            link = _links(page).get(file.name)
        if link is None:
            raise CliError("it is not among the results any more")
        return link

    def _read(self, cursor: str | None) -> dict[str, Any]:
        return self._api.get(*self._path, limit=str(PAGE_ENTRIES), cursor=cursor)


class Downloader:
    """Downloads files into a folder. Threads may share it.

    Parameters
    ----------
    api : Api
    results : ResultList
    folder : Path
        Where the files are to be.
    stop : Stop
        Tells when to end.
    received : callable
        Called with the number of bytes just received; below zero when they come again.
    """

    def __init__(self, api: Api, results: ResultList, folder: Path, stop: Stop, received: Callable[[int], None]):
        self._api = api
        self._results = results
        self._folder = folder
        self._stop = stop
        self._received = received

    def download(self, file: ResultFile) -> Path:
        """Download a file.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        CliError
            When its name leads out of the folder, it cannot be written, or S3 refuses it or is not reachable.
        """
        self._stop.check()
        try:
            target = safe_path(self._folder, file.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            # A folder that was there before may be a link to somewhere else.
            if not target.parent.resolve().is_relative_to(self._folder.resolve()):
                raise CliError("its folder is a link that leads out of the chosen one")
            unfinished = target.with_name(f".{uuid4().hex}.unfinished")
            try:
                self._fetch(file, unfinished)
                unfinished.replace(target)
            finally:
                unfinished.unlink(missing_ok=True)
        except OSError as error:
            raise CliError(f"it cannot be written: {error.strerror}") from None
        return target

    def _fetch(self, file: ResultFile, path: Path) -> None:
        link = self._results.link(file)
        refused: str | None = None
        for attempt in attempts(backoff.BACKOFF, self._stop.sleep):
            asked_for = None
            if refused:
                link = self._results.link(file, refused=refused)
            try:
                status, asked_for = self._receive(link, path)
                if status == 200 and path.stat().st_size == file.size:
                    return
                reason = f"S3 answers with {status}" if status != 200 else "it is not complete"
                passing = status in (200, 403) or is_passing(status, True, asked_for)
            except httpx.TransportError as error:
                reason, passing = str(error) or type(error).__name__, True
                status = 0
            if not passing or attempt.is_last:
                raise CliError(f"it could not be downloaded: {reason}")
            self._received(-_size(path))
            # The link has expired, or its signer's credentials have.
            refused = link if status == 403 else None
            attempt.pause_at_least = asked_for or 0

    def _receive(self, link: str, path: Path) -> tuple[int, float | None]:
        """Write what a link gives into a file; returns the status and the pause that is asked for."""
        with (
            self._api.http.stream("GET", link, headers={"accept-encoding": "identity"}, timeout=TIMEOUT) as response,
            path.open("wb") as content,
        ):
            if response.status_code == 200:
                for chunk in response.iter_bytes(CHUNK_BYTES):
                    self._stop.check()
                    content.write(chunk)
                    self._received(len(chunk))
            return response.status_code, backoff.retry_after(response.headers.get("retry-after"))


def safe_path(folder: Path, name: str) -> Path:
    """Return where a result belongs below a folder.

    Raises
    ------
    CliError
        When its name leads out of the folder, or cannot be a file's.
    """
    parts = name.split("/")
    wrong = any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts)
    if wrong or PurePosixPath(name).is_absolute():
        raise CliError("its name is not one of a file in the folder")
    return folder.joinpath(*parts)


def _links(page: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["url"] for one in page["results"]}


def _ends_at(page: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(page["expires_at"])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
