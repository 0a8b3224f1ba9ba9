"""DocumentStore: projects, their documents and jobs in a table, and the documents' content in a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi

from components.blocks.compute.function_defaults import FunctionDefaults
from components.blocks.compute.python_function import PythonFunction
from components.blocks.resources import child
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Index, Table
from schema import projects
from schema.endpoint import DOCUMENTS_BUCKET, DOCUMENTS_TABLE
from schema.templates import before_fields, pattern


@dataclass(frozen=True, kw_only=True)
class DocumentStoreArgs:
    """Arguments of a document store; all have defaults.

    Attributes
    ----------
    functions
        Defaults shared by all functions of the stack.
    upload_origins
        Origins of web pages, such as `https://app.example.com`, that may post documents and read links to results.
    protect
        Protect the table and the bucket from deletion.
    """

    functions: FunctionDefaults = field(default_factory=FunctionDefaults)
    upload_origins: Sequence[str] = ()
    protect: bool = False


class DocumentStore(pulumi.ComponentResource):
    """A table of projects, documents and jobs, and a bucket of documents, results, models and programs.

    Documents are uploaded with presigned forms, which stay valid when a document is deleted, its project archived, or
    its creator's right to write is gone. A function deletes what is uploaded after that, or a second time.

    Attributes
    ----------
    documents
        The table; items and keys are those of `schema/projects.py`.
    files
        The bucket, with the layout of `schema/projects.py`.
    """

    def __init__(
        self,
        name: str,
        args: DocumentStoreArgs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:index:DocumentStore", name, {}, opts)
        args = args or DocumentStoreArgs()
        self.documents = Table(
            f"{name}-documents",
            hash_key=projects.PARTITION_KEY,
            range_key=projects.SORT_KEY,
            ttl_attribute=projects.EXPIRES,
            indexes=[
                Index(projects.BY_MEMBERSHIP, *projects.BY_MEMBERSHIP_KEYS),
                Index(projects.BY_USER, *projects.BY_USER_KEYS),
                Index(projects.BY_STATUS, *projects.BY_STATUS_KEYS),
            ],
            protect=args.protect,
            opts=child(self),
        )
        self.files = PrivateBucket(
            f"{name}-files", upload_origins=args.upload_origins, protect=args.protect, opts=child(self)
        )
        self._withdraw_uploads(f"{name}-withdraw", args)
        self.register_outputs({"documents": self.documents.name, "files": self.files.name})

    def _withdraw_uploads(self, name: str, args: DocumentStoreArgs) -> None:
        documents = pattern(projects.DOCUMENTS_PREFIX)
        withdraw = PythonFunction(
            name,
            handler="handlers/uploads/withdraw.py",
            defaults=args.functions,
            uses={
                DOCUMENTS_TABLE: self.documents.grant("BatchGetItem", "UpdateItem"),
                DOCUMENTS_BUCKET: self.files.grant("DeleteObjectVersion", prefix=documents),
            },
            asynchronous=True,
            opts=child(self),
        )
        self.files.invoke(
            name,
            function=withdraw,
            events=["s3:ObjectCreated:Post"],
            prefix=before_fields(projects.DOCUMENTS_PREFIX),
        )
