"""PrivateBucket: an S3 bucket without public access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import pulumi
import pulumi_aws as aws

from components.blocks.access.arns import account_of
from components.blocks.access.grants import Grant, check_actions
from components.blocks.access.permissions import Permission
from components.blocks.access.tls import tls_only
from components.blocks.compute.python_function import PythonFunction
from components.blocks.resources import child

BucketAction = Literal["DeleteObject", "DeleteObjectVersion", "GetObject", "ListBucket", "PutObject"]
ABORT_UPLOADS_DAYS = 7
OLD_VERSIONS_DAYS = 30


class PrivateBucket(pulumi.ComponentResource):
    """An encrypted, versioned bucket without public access, reached over TLS only.

    Unfinished uploads are removed after 7 days.

    Parameters
    ----------
    name
        Logical name; the bucket's physical name starts with it.
    expire_days
        Age in days at which objects are deleted; never when absent.
    expire_prefixes
        Prefixes of objects that are deleted at an age of their own, in days, in place of `expire_days`.
    old_versions_days
        Days for which replaced and deleted versions of objects are kept.
    protect
        Protect the bucket from deletion; without it, the bucket is deleted with all its objects.
    upload_origins
        Origins of web pages, such as `https://app.example.com`, that may post presigned forms and read presigned links.

    Attributes
    ----------
    name, arn
        Name and ARN of the bucket.
    """

    def __init__(
        self,
        name: str,
        *,
        expire_days: int | None = None,
        expire_prefixes: Mapping[str, int] | None = None,
        old_versions_days: int = OLD_VERSIONS_DAYS,
        protect: bool = False,
        upload_origins: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:PrivateBucket", name, {}, opts)
        bucket = aws.s3.Bucket(name, force_destroy=not protect, opts=child(self, protect=protect))
        self.name = bucket.bucket
        self.arn = bucket.arn
        self._has_notification = False
        public_access = self._close(name)
        self._version_and_encrypt(name)
        self._expire(name, expire_days, expire_prefixes or {}, old_versions_days)
        self._require_tls(name, public_access)
        if upload_origins:
            self._let_pages_upload(name, upload_origins)
        self.register_outputs({"name": self.name, "arn": self.arn})

    def grant(self, *actions: BucketAction, prefix: str = "", prefixes: Sequence[str] = ()) -> Grant:
        """Grant actions on the objects below prefixes; the grant's value is the bucket's name.

        Parameters
        ----------
        actions
            Names of S3's actions. `ListBucket` lists only the objects below the prefixes.
        prefix, prefixes
            What keys start with, such as `reports/`; `*` stands for any text. Give one prefix or several.

        Raises
        ------
        ValueError
            No or unknown actions, no prefix, or both `prefix` and `prefixes`.
        """
        title = f"Bucket {self.pulumi_resource_name}"
        check_actions(title, actions, get_args(BucketAction))
        if bool(prefix) == bool(prefixes) or not all([prefix] if prefix else prefixes):
            raise ValueError(f"{title}: expected either prefix or prefixes, and none of them empty")
        patterns = [f"{one}*" for one in ([prefix] if prefix else prefixes)]
        permissions = []
        if on_objects := [f"s3:{action}" for action in actions if action != "ListBucket"]:
            objects = [pulumi.Output.concat(self.arn, "/", pattern) for pattern in patterns]
            permissions.append(Permission(on_objects, objects))
        if "ListBucket" in actions:
            condition = {"StringLike": {"s3:prefix": patterns if len(patterns) > 1 else patterns[0]}}
            permissions.append(Permission(["s3:ListBucket"], [self.arn], condition))
        return Grant(tuple(permissions), self.name)

    def invoke(self, name: str, *, function: PythonFunction, events: Sequence[str], prefix: str) -> None:
        """Invoke a function, asynchronously, for events of objects.

        Parameters
        ----------
        name
            Logical name of the permission and the notification.
        function
            The function.
        events
            Kinds of events, such as `s3:ObjectCreated:Post`.
        prefix
            What the objects' keys start with.

        Raises
        ------
        ValueError
            The bucket already has a notification. S3 keeps one per bucket, so a second one would replace it.
        """
        if self._has_notification:
            raise ValueError(f"Bucket {self.pulumi_resource_name}: it can have one notification, and has one already")
        self._has_notification = True
        permission = aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=function.name,
            principal="s3.amazonaws.com",
            source_arn=self.arn,
            # After the bucket is deleted, another account can create one with the same name.
            source_account=account_of(function.arn),
            opts=child(self),
        )
        aws.s3.BucketNotification(
            name,
            bucket=self.name,
            lambda_functions=[
                aws.s3.BucketNotificationLambdaFunctionArgs(
                    lambda_function_arn=function.arn, events=list(events), filter_prefix=prefix
                )
            ],
            opts=child(self, depends_on=[permission]),
        )

    def _close(self, name: str) -> pulumi.Resource:
        aws.s3.BucketOwnershipControls(
            name,
            bucket=self.name,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=child(self),
        )
        return aws.s3.BucketPublicAccessBlock(
            name,
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child(self),
        )

    def _version_and_encrypt(self, name: str) -> None:
        aws.s3.BucketVersioning(
            name,
            bucket=self.name,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=child(self),
        )
        by_default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256"
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=self.name,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=by_default
                )
            ],
            opts=child(self),
        )

    def _expire(
        self, name: str, expire_days: int | None, expire_prefixes: Mapping[str, int], old_versions_days: int
    ) -> None:
        tidy = aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="tidy",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=ABORT_UPLOADS_DAYS
            ),
            noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=old_versions_days
            ),
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=expire_days) if expire_days else None,
        )
        expiring = [
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id=prefix.strip("/"),
                status="Enabled",
                filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
            )
            for prefix, days in expire_prefixes.items()
        ]
        aws.s3.BucketLifecycleConfiguration(name, bucket=self.name, rules=[tidy, *expiring], opts=child(self))

    def _require_tls(self, name: str, public_access: pulumi.Resource) -> None:
        # A denial of every action on the bucket and its objects: nothing is granted by it.
        policy = pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [tls_only(actions="s3:*", resources=[self.arn, pulumi.Output.concat(self.arn, "/*")])],
            }
        )
        # S3 refuses to change the policy and the public access block at the same time.
        aws.s3.BucketPolicy(name, bucket=self.name, policy=policy, opts=child(self, depends_on=[public_access]))

    def _let_pages_upload(self, name: str, origins: Sequence[str]) -> None:
        rule = aws.s3.BucketCorsConfigurationCorsRuleArgs(
            allowed_origins=list(origins),
            allowed_methods=["GET", "POST"],
            allowed_headers=["content-type"],
            max_age_seconds=3600,
        )
        aws.s3.BucketCorsConfiguration(name, bucket=self.name, cors_rules=[rule], opts=child(self))
