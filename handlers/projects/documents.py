"""Documents of a project: announced in the table, and uploaded by users straight to the bucket."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.common.concurrency import both
from handlers.common.problems import FieldError, invalid, not_found
from handlers.common.table import ABSENT, BETWEEN, RefusedError, Table, keyed
from handlers.common.times import utc_now
from handlers.projects.access import ProjectAccess, require_active, visible
from handlers.projects.document_models import Document, NewDocument, Upload, UploadForm
from schema import projects as keys
from schema.limits import FORM_SECONDS, UPLOAD_BYTES
from schema.names import FILE_NAME_EXPECTED, content_type_of, normalise_file_name

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
    """

    def __init__(self, table: Table, s3: Any, bucket: str) -> None:
        self._table = table
        self._projects = ProjectAccess(table)
        self._s3 = s3
        self._bucket = bucket

    def create(self, project_id: str, document_id: str, new: NewDocument, caller: str) -> Upload:
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

        Raises
        ------
        Problem
            The project does not exist, is not the caller's or is archived; the name cannot be a file's.
        """
        name = _checked(new.name)
        require_active(self._projects.get(project_id, caller))
        document = Document(document_id, name, content_type_of(name), caller, utc_now())
        item = {
            **keyed(keys.document_key(project_id, document_id)),
            **{attribute: getattr(document, attribute) for attribute in _STORED},
            "key": keys.document_object(project_id, document_id, name),
        }
        try:
            self._table.put(item, ABSENT)
        except RefusedError as error:
            document = msgspec.convert(error.refused[0], Document)
        return Upload(document, self._form(project_id, document))

    def _form(self, project_id: str, document: Document) -> UploadForm:
        kind = {"Content-Type": document.content_type}
        expires_at = utc_now(FORM_SECONDS)
        form = self._s3.generate_presigned_post(
            Bucket=self._bucket,
            Key=keys.document_object(project_id, document.document, document.name),
            Fields=dict(kind),
            Conditions=[kind, ["content-length-range", 1, UPLOAD_BYTES]],
            ExpiresIn=FORM_SECONDS,
        )
        return UploadForm(form["url"], form["fields"], expires_at)

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
        self._table.delete(key)


def _checked(name: str) -> str:
    try:
        return normalise_file_name(name)
    except ValueError:
        raise invalid(FieldError("name", FILE_NAME_EXPECTED)) from None
