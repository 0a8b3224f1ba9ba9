"""Documents of a project: announced in the table, and uploaded by users straight to the bucket."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.common.concurrency import both
from handlers.common.problems import FieldError, invalid, not_found
from handlers.common.table import ABSENT, BETWEEN, Item, RefusedError, Table, keyed
from handlers.common.times import utc_now
from handlers.projects.access import ProjectAccess, require_active, visible
from handlers.projects.counters import DocumentCounter
from handlers.projects.document_models import Document, NewDocument, Upload, UploadForm
from handlers.projects.storage import StoredBytes
from schema import projects as keys
from schema.limits import FORM_SECONDS, LEAST_FORM_SECONDS, UPLOAD_BYTES
from schema.names import FILE_NAME_EXPECTED, content_type_of, normalise_file_name
from schema.quotas import Quotas

# Attributes of a document's item; whether its content has arrived, the bucket says.
_STORED = ("document", "name", "content_type", "created_by", "created_at")
# Objects of documents that were deleted stay in the bucket for moments, when a form is used after that. A listing makes
# room for some of them, and ends after so many calls, whatever is there.
_LEFT_OVER = 20
_LISTING_CALLS = 10


class Documents:
    """The documents of all projects.

    Parameters
    ----------
    table
        Where they are announced.
    s3
        A client of S3.
    bucket
        Where their content is.
    quotas
        How much each user and each project may hold.
    """

    def __init__(
        self,
        table: Table,
        s3: Any,
        bucket: str,
        quotas: Quotas = Quotas(),  # noqa: B008 - a frozen value
    ) -> None:
        self._table = table
        self._counter = DocumentCounter(table, quotas.documents)
        self._stored = StoredBytes(table, quotas)
        self._projects = ProjectAccess(table)
        self._s3 = s3
        self._bucket = bucket

    def create(
        self, project_id: str, document_id: str, new: NewDocument, caller: str, seconds: int = FORM_SECONDS
    ) -> Upload:
        """Announce a document and make the form that uploads it.

        Parameters
        ----------
        project_id
            The document's project.
        document_id
            Its id. If the same request announced it before, it gets a new form.
        new
            Its name.
        caller
            The user who announces it.
        seconds
            For how long the form is valid.

        Raises
        ------
        Problem
            The project does not exist, is not the caller's or is archived; the name cannot be a file's; a quota is used
            up.
        """
        name = _checked(new.name)
        key = keys.document_key(project_id, document_id)
        project, known, *used = self._table.get_all([keys.project_key(project_id), key, *self._stored.keys(caller)])
        require_active(visible(project, caller))
        max_bytes = min(UPLOAD_BYTES, self._stored.left(*used))
        if known is None:
            known = self._announce(project_id, Document(document_id, name, content_type_of(name), caller, utc_now()))
        document = msgspec.convert(known, Document)
        return Upload(document, self._form(project_id, document, max_bytes, seconds))

    def _announce(self, project_id: str, document: Document) -> Item:
        """Store a new document; returns its item, which the same request may have stored meanwhile."""
        item = {
            **keyed(keys.document_key(project_id, document.document)),
            **{attribute: getattr(document, attribute) for attribute in _STORED},
            "key": keys.document_object(project_id, document.document, document.name),
        }
        self._counter.take(project_id)
        try:
            self._table.put(item, ABSENT)
        except RefusedError as error:
            self._counter.give_back(project_id)
            return error.refused[0]
        return item

    def _form(self, project_id: str, document: Document, max_bytes: int, seconds: int) -> UploadForm:
        kind = {"Content-Type": document.content_type}
        expires_at = utc_now(seconds)
        form = self._s3.generate_presigned_post(
            Bucket=self._bucket,
            Key=keys.document_object(project_id, document.document, document.name),
            Fields=dict(kind),
            Conditions=[kind, ["content-length-range", 1, max_bytes]],
            ExpiresIn=seconds,
        )
        return UploadForm(form["url"], form["fields"], expires_at, max_bytes=max_bytes)

    def list(self, project_id: str, caller: str, limit: int, position: str | None) -> tuple[list[Document], str | None]:
        """List a project's documents, newest first, each with whether its content has arrived.

        Parameters
        ----------
        project_id
            Whose documents.
        caller
            Who asks.
        limit
            At most so many.
        position
            The document to begin with; the newest when absent.

        Returns
        -------
        The documents, and the one with which the next page begins, if there is one.

        Raises
        ------
        Problem
            The project does not exist or is not the caller's.
        """
        partition, low = keys.document_key(project_id, "")
        _, items = both(
            lambda: self._projects.get(project_id, caller),
            lambda: self._table.query(
                BETWEEN,
                {"partition": partition, "low": low, "high": low + (position or keys.AFTER_ALL_IDS)},
                limit + 1,
            ),
        )
        documents = [msgspec.convert(item, Document) for item in items[:limit]]
        sizes = self._sizes(project_id, [document.document for document in documents])
        documents = [
            msgspec.structs.replace(document, uploaded=document.document in sizes, size=sizes.get(document.document))
            for document in documents
        ]
        return documents, items[limit]["document"] if len(items) > limit else None

    def _sizes(self, project_id: str, documents: list[str]) -> dict[str, int]:
        """Find the sizes in bytes of documents, by id, in a listing of the bucket from the oldest to the newest."""
        if not documents:
            return {}
        prefix = keys.documents_prefix(project_id)
        request = {"Bucket": self._bucket, "Prefix": prefix, "StartAfter": prefix + documents[-1]}
        sizes: dict[str, int] = {}
        for _ in range(_LISTING_CALLS):
            page = self._s3.list_objects_v2(**request, MaxKeys=min(1000, len(documents) + _LEFT_OVER))
            for content in page.get("Contents", []):
                document = content["Key"].removeprefix(prefix).partition("/")[0]
                if document > documents[0]:
                    return sizes
                sizes[document] = content["Size"]
            if not page["IsTruncated"]:
                return sizes
            request["ContinuationToken"] = page["NextContinuationToken"]
        return sizes

    def delete(self, project_id: str, document_id: str, caller: str) -> None:
        """Delete a document and its content.

        Raises
        ------
        Problem
            The project or the document does not exist, or the project is not the caller's or is archived.
        """
        key = keys.document_key(project_id, document_id)
        project, document = self._table.get_all([keys.project_key(project_id), key])
        require_active(visible(project, caller))
        if document is None:
            raise not_found("document")
        # The content first: if the second step fails, the document shows as not uploaded and can be deleted again.
        self._s3.delete_object(Bucket=self._bucket, Key=document["key"])
        if self._stored.delete(document):
            self._counter.give_back(project_id)


def _checked(name: str) -> str:
    try:
        return normalise_file_name(name)
    except ValueError:
        raise invalid(FieldError("name", FILE_NAME_EXPECTED)) from None


def form_seconds(token_seconds: float) -> int:
    """Return for how long a form is valid: not beyond the token of whoever asks, after which a role may be gone.

    Parameters
    ----------
    token_seconds
        For how long that token is still valid.
    """
    return int(max(LEAST_FORM_SECONDS, min(FORM_SECONDS, token_seconds)))
