"""ProductApi: the product's documents, its kinds of batch jobs, and the HTTP API to all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pulumi

from components.batch_job_workflow import BatchJobWorkflow, BatchJobWorkflowArgs, JobSchedule
from components.blocks.access.permissions import Permission, child_of
from components.blocks.access.user_pool import SignIn
from components.blocks.compute.program import BatchProgram, program_files
from components.blocks.compute.python_function import FunctionDefaults, PythonFunction
from components.blocks.http.api_domain import Domain
from components.blocks.http.http_api import Audience, Throttle
from components.blocks.observe.notifications import Notifications
from components.blocks.storage.private_bucket import PrivateBucket
from components.blocks.storage.table import Index, Table
from components.blocks.workflow.processing_job import InputChannel, OutputChannel
from components.nlp_api import NlpApi, NlpApiArgs
from components.product_routes import DOCUMENTS, ProductRoutes

BY_USER = Index("by-user", "user", "project")
BY_STATUS = Index("by-status", "project_status", "job")
# What the endpoints import, besides their own folder and handlers/common.
CODE = (
    "handlers/api/support",
    "handlers/companies",
    "handlers/projects",
    "handlers/sentiment",
    "handlers/texts",
    "schema",
)
PROGRAM_ENTRY = "handlers/batch/run.py"
PROGRAM_FOLDERS = ("handlers/batch", "handlers/common")
_NO_RESOURCES = "Amazon Comprehend's and Amazon Translate's synchronous calls have no resource to name"
# What each kind of job calls, all of it without a resource to name.
KINDS = {
    "analyse": (
        "comprehend:BatchDetectDominantLanguage",
        "comprehend:BatchDetectKeyPhrases",
        "comprehend:BatchDetectSentiment",
    ),
    "translate": ("comprehend:BatchDetectDominantLanguage", "translate:TranslateText"),
}


@dataclass(frozen=True)
class JobDefaults:
    """What all kinds of jobs have in common.

    Attributes
    ----------
    image
        Address of the container image in Amazon ECR.
    wheels
        Folder of the program's packages for the container; none where the interpreter has them.
    instance_type, instance_count, volume_gb
        What a job runs on.
    time_limit_seconds
        Longest time a job may run.
    isolated_translation
        Translation jobs reach no network, not even AWS, and may call none of its services: MarianMT only.
    schedules
        Jobs that start by themselves, by kind.
    """

    image: pulumi.Input[str]
    wheels: Path | None = None
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    volume_gb: int = 30
    time_limit_seconds: int = 3600
    isolated_translation: bool = False
    schedules: Mapping[str, Sequence[JobSchedule]] = field(default_factory=dict)


@dataclass(frozen=True)
class ProductApiArgs:
    """What the product's API is given.

    Attributes
    ----------
    functions
        What its functions have in common with the stack's others.
    companies, observations
        Tables of the sentiment pipeline.
    jobs
        What all kinds of jobs have in common.
    version
        What `GET /health` answers.
    audience
        Whose tokens are good, where somebody else signs people in.
    sign_in
        How people sign in to the API's own user pool.
    throttle, costly_throttle
        Of most routes, and of each one that starts something that is paid for.
    origins
        Origins of web pages that may call the API and post documents.
    domain
        A domain of one's own.
    announce
        Who is told of failed jobs.
    protect
        Refuse to delete the table, the bucket and the user pool.
    """

    functions: FunctionDefaults
    companies: Table
    observations: Table
    jobs: JobDefaults
    version: str
    audience: Audience | None = None
    sign_in: SignIn = field(default_factory=SignIn)
    throttle: Throttle = field(default_factory=lambda: Throttle(per_second=100, burst=200))
    costly_throttle: Throttle = field(default_factory=lambda: Throttle(per_second=5, burst=10))
    origins: Sequence[str] = ()
    domain: Domain | None = None
    announce: Notifications | None = None
    protect: bool = False


class ProductApi(pulumi.ComponentResource):
    """Projects and documents behind an HTTP API, batch jobs on them, and the API of the sentiment pipeline's companies.

    Attributes
    ----------
    documents
        The table of projects, documents and jobs.
    files
        The bucket of documents, results, models and programs.
    workflows
        State machines by kind of job.
    api
        The HTTP API.
    """

    def __init__(self, name: str, args: ProductApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloud-nlp:index:ProductApi", name, {}, opts)
        self.documents = Table(
            f"{name}-documents", "pk", "sk", "expires_at", args.protect, [BY_USER, BY_STATUS], child_of(self)
        )
        self.files = PrivateBucket(
            f"{name}-files", protect=args.protect, upload_origins=args.origins, opts=child_of(self)
        )
        self._withdraw_late_uploads(f"{name}-withdraw", args)
        self.workflows = self._workflows(name, args)
        self.api = self._api(f"{name}-api", args)
        self.register_outputs({"url": self.api.url, "documents": self.documents.name, "files": self.files.name})

    def _withdraw_late_uploads(self, name: str, args: ProductApiArgs) -> None:
        """Delete what is posted after its document was deleted."""
        withdraw = PythonFunction(
            name,
            "handlers/uploads/withdraw.py",
            replace(args.functions, further_code=("handlers/projects",)),
            allow=[self.documents.getting(), self.files.deleting(DOCUMENTS)],
            environment={"DOCUMENTS_TABLE": self.documents.name},
            asynchronous=True,
            opts=child_of(self),
        )
        self.files.invoke(name, withdraw, ["s3:ObjectCreated:Post"], "projects/")

    def _workflows(self, name: str, args: ProductApiArgs) -> dict[str, BatchJobWorkflow]:
        files = program_files(PROGRAM_ENTRY, PROGRAM_FOLDERS, args.jobs.wheels)
        program = BatchProgram(f"{name}-program", self.files, files, opts=child_of(self))
        return {kind: self._workflow(f"{name}-{kind}", kind, program, args) for kind in KINDS}

    def _workflow(self, name: str, kind: str, program: BatchProgram, args: ProductApiArgs) -> BatchJobWorkflow:
        isolated = kind == "translate" and args.jobs.isolated_translation
        return BatchJobWorkflow(
            name,
            BatchJobWorkflowArgs(
                kind=kind,
                table=self.documents,
                bucket=self.files,
                program=program,
                image=args.jobs.image,
                inputs=[
                    InputChannel("documents", "input", "projects/{project}/documents/", sharded=True),
                    *(
                        [InputChannel("model", "model", "models/{model}/", optional=True)]
                        if kind == "translate"
                        else []
                    ),
                ],
                output=OutputChannel("output", "projects/{project}/jobs/{job}/results/"),
                instance_type=args.jobs.instance_type,
                instance_count=args.jobs.instance_count,
                volume_gb=args.jobs.volume_gb,
                time_limit_seconds=args.jobs.time_limit_seconds,
                network_isolation=isolated,
                allow=[] if isolated else [Permission(KINDS[kind], ["*"], why_any_resource=_NO_RESOURCES)],
                schedules=args.jobs.schedules.get(kind, ()),
                announce=args.announce,
                log_retention_days=args.functions.log_retention_days,
                tracing=args.functions.tracing,
                notify=args.functions.notify,
            ),
            opts=child_of(self),
        )

    def _api(self, name: str, args: ProductApiArgs) -> NlpApi:
        routes = ProductRoutes(
            self.documents,
            self.files,
            args.companies,
            args.observations,
            {kind: workflow.machine for kind, workflow in self.workflows.items()},
            args.version,
            args.costly_throttle,
            args.jobs.isolated_translation,
        )
        return NlpApi(
            name,
            NlpApiArgs(
                functions=replace(args.functions, further_code=CODE),
                routes=routes.all(),
                audience=args.audience,
                sign_in=args.sign_in,
                throttle=args.throttle,
                origins=args.origins,
                domain=args.domain,
                protect=args.protect,
            ),
            opts=child_of(self),
        )
