"""PrivateBucket: an S3 bucket that nobody outside the account reaches."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.blocks.access.permissions import Permission, child_of, tls_only
from components.blocks.compute.python_function import PythonFunction

ABORT_UPLOADS_DAYS = 7
OLD_VERSIONS_DAYS = 30


class PrivateBucket(pulumi.ComponentResource):
    """An encrypted, versioned bucket without public access, reached over TLS only.

    Unfinished uploads are removed after 7 days, replaced versions after 30.

    Parameters
    ----------
    name
        The bucket's name starts with it.
    expire_days
        Remove objects of this age.
    protect
        Refuse to delete the bucket; without it, the bucket is deleted with all it holds.
    upload_origins
        Origins of web pages, such as `https://app.example.com`, that may post presigned forms and read presigned links.

    Attributes
    ----------
    name, arn
        Of the bucket.
    """

    def __init__(
        self,
        name: str,
        expire_days: int | None = None,
        protect: bool = False,
        upload_origins: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("cloud-nlp:blocks:PrivateBucket", name, {}, opts)
        bucket = aws.s3.Bucket(name, force_destroy=not protect, opts=child_of(self, protect=protect))
        self.name = bucket.bucket
        self.arn = bucket.arn
        public_access = self._close(name)
        self._version_and_encrypt(name)
        self._expire(name, expire_days)
        self._require_tls(name, public_access)
        if upload_origins:
            self._let_pages_upload(name, upload_origins)
        self.register_outputs({"name": self.name, "arn": self.arn})

    def putting(self, prefix: str) -> Permission:
        """Write objects whose keys start with `prefix`."""
        return Permission(["s3:PutObject"], [pulumi.Output.concat(self.arn, "/", prefix, "*")])

    def getting(self, *prefixes: str) -> Permission:
        """Read objects whose keys start with one of `prefixes`."""
        return Permission(["s3:GetObject"], [pulumi.Output.concat(self.arn, "/", prefix, "*") for prefix in prefixes])

    def deleting(self, prefix: str) -> Permission:
        """Delete objects whose keys start with `prefix`; their versions stay for as long as the bucket keeps them."""
        return Permission(["s3:DeleteObject"], [pulumi.Output.concat(self.arn, "/", prefix, "*")])

    def listing(self, *prefixes: str) -> Permission:
        """List objects whose keys start with one of `prefixes`."""
        patterns = [f"{prefix}*" for prefix in prefixes]
        condition = {"StringLike": {"s3:prefix": patterns if len(patterns) > 1 else patterns[0]}}
        return Permission(["s3:ListBucket"], [self.arn], condition)

    def invoke(self, name: str, function: PythonFunction, events: Sequence[str], prefix: str) -> None:
        """Invoke a function, asynchronously, with events of objects; once for a bucket, whose configuration is one.

        Parameters
        ----------
        name
            Of the resources.
        function
            What is invoked.
        events
            Kinds of events, such as `s3:ObjectCreated:Post`.
        prefix
            What the objects' keys start with.
        """
        permission = aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=function.name,
            principal="s3.amazonaws.com",
            source_arn=self.arn,
            source_account=function.arn.apply(_account),  # a bucket's name alone can become somebody else's
            opts=child_of(self),
        )
        aws.s3.BucketNotification(
            name,
            bucket=self.name,
            lambda_functions=[
                aws.s3.BucketNotificationLambdaFunctionArgs(
                    lambda_function_arn=function.arn, events=list(events), filter_prefix=prefix
                )
            ],
            opts=child_of(self, depends_on=[permission]),
        )

    def _close(self, name: str) -> pulumi.Resource:
        aws.s3.BucketOwnershipControls(
            name,
            bucket=self.name,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=child_of(self),
        )
        return aws.s3.BucketPublicAccessBlock(
            name,
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child_of(self),
        )

    def _version_and_encrypt(self, name: str) -> None:
        aws.s3.BucketVersioning(
            name,
            bucket=self.name,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=child_of(self),
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
            opts=child_of(self),
        )

    def _expire(self, name: str, expire_days: int | None) -> None:
        rule = aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="tidy",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=ABORT_UPLOADS_DAYS
            ),
            noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=OLD_VERSIONS_DAYS
            ),
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=expire_days) if expire_days else None,
        )
        aws.s3.BucketLifecycleConfiguration(name, bucket=self.name, rules=[rule], opts=child_of(self))

    def _require_tls(self, name: str, public_access: pulumi.Resource) -> None:
        policy = pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                # A refusal: of whatever it is, to the bucket and all objects, that comes without TLS.
                "Statement": [tls_only("s3:*", [self.arn, pulumi.Output.concat(self.arn, "/*")])],
            }
        )
        # S3 refuses to change both at the same time.
        aws.s3.BucketPolicy(name, bucket=self.name, policy=policy, opts=child_of(self, depends_on=[public_access]))

    def _let_pages_upload(self, name: str, origins: Sequence[str]) -> None:
        rule = aws.s3.BucketCorsConfigurationCorsRuleArgs(
            allowed_origins=list(origins),
            allowed_methods=["GET", "POST"],
            allowed_headers=["content-type"],
            max_age_seconds=3600,
        )
        aws.s3.BucketCorsConfiguration(name, bucket=self.name, cors_rules=[rule], opts=child_of(self))


def _account(arn: str) -> str:
    """Find the account in an ARN."""
    return arn.split(":")[4]
