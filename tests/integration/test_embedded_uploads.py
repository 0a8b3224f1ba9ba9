"""Presigned forms and links of the embedded S3: they let through what was signed, and nothing else."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.embedded_aws import EmbeddedAws
from tests.integration.http_calls import Answer, call
from tests.integration.processing import new_name, policy
from tests.integration.test_embedded_aws import client_of

TYPE = "application/pdf"


class Signer:
    """Signs forms and links as a user with few permissions."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.bucket = make_bucket(aws)
        self._iam, self._user = aws.client("iam"), new_name("signer")
        self._iam.create_user(UserName=self._user)
        self.allow("s3:PutObject", "s3:GetObject")
        keys = self._iam.create_access_key(UserName=self._user)["AccessKey"]
        self.s3 = client_of(aws, keys, "s3")

    def allow(self, *actions: str) -> None:
        resource = f"arn:aws:s3:::{self.bucket}/uploads/*"
        statements = [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]
        self._iam.put_user_policy(UserName=self._user, PolicyName="all", PolicyDocument=policy(statements))

    def form(self, key: str, expires: int = 60) -> dict[str, Any]:
        return self.s3.generate_presigned_post(
            self.bucket,
            key,
            Fields={"Content-Type": TYPE},
            Conditions=[{"Content-Type": TYPE}, ["content-length-range", 1, 1000]],
            ExpiresIn=expires,
        )


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as embedded:
        yield embedded


@pytest.fixture(scope="module")
def signer(aws: EmbeddedAws) -> Signer:
    return Signer(aws)


def make_bucket(aws: EmbeddedAws) -> str:
    name = new_name("bucket")
    aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": aws.region})
    return name


def send(form: dict[str, Any], content: bytes, **changes: str) -> Answer:
    """Send a form as a browser does."""
    fields = {**form["fields"], **changes}
    boundary = "a-boundary-that-is-nowhere-else"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    body = "".join([*parts, file]).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return call(form["url"], method="POST", body=body, headers=headers)


def test_a_form_takes_what_it_was_signed_for(aws: EmbeddedAws, signer: Signer) -> None:
    answer = send(signer.form("uploads/a ü.pdf"), b"x" * 1000)
    assert answer.status == 204
    stored = aws.client("s3").get_object(Bucket=signer.bucket, Key="uploads/a ü.pdf")
    assert (stored["ContentLength"], stored["ContentType"]) == (1000, TYPE)


@pytest.mark.parametrize(
    ("size", "changes", "status", "code"),
    [
        (1001, {}, 400, "EntityTooLarge"),
        (0, {}, 400, "EntityTooSmall"),
        (5, {"Content-Type": "text/html"}, 403, "AccessDenied"),
        (5, {"key": "uploads/another.pdf"}, 403, "AccessDenied"),
        (5, {"acl": "public-read"}, 403, "AccessDenied"),
        (5, {"x-amz-meta-extra": "x"}, 403, "AccessDenied"),
        (5, {"x-amz-signature": "0" * 64}, 403, "SignatureDoesNotMatch"),
        (5, {"policy": base64.b64encode(b'{"expiration": "2100-01-01T00:00:00Z", "conditions": []}').decode()}, 403,
         "SignatureDoesNotMatch"),
    ],
)  # fmt: skip
def test_a_form_takes_nothing_else(
    aws: EmbeddedAws, signer: Signer, size: int, changes: dict[str, str], status: int, code: str
) -> None:
    answer = send(signer.form("uploads/refused.pdf"), b"x" * size, **changes)
    assert answer.status == status
    assert f"<Code>{code}</Code>".encode() in answer.body
    listed = aws.client("s3").list_objects_v2(Bucket=signer.bucket, Prefix="uploads/")
    assert not {"uploads/refused.pdf", "uploads/another.pdf"} & {one["Key"] for one in listed.get("Contents", [])}


def test_a_form_expires_and_is_for_its_bucket(aws: EmbeddedAws, signer: Signer) -> None:
    form = signer.form("uploads/late.pdf", expires=1)
    elsewhere = {**form, "url": form["url"].replace(signer.bucket, make_bucket(aws))}
    assert send(elsewhere, b"x").status == 403
    time.sleep(2)
    assert (send(form, b"x").status, b"Policy expired" in send(form, b"x").body) == (403, True)


def test_a_form_does_no_more_than_its_signer_may(signer: Signer) -> None:
    assert send(signer.form("elsewhere/a.pdf"), b"x").status == 403
    form = signer.form("uploads/b.pdf")
    signer.allow("s3:GetObject")
    assert send(form, b"x").status == 403
    signer.allow("s3:PutObject", "s3:GetObject")
    assert send(form, b"x").status == 204


def test_a_link_reads_one_object_for_a_while(aws: EmbeddedAws, signer: Signer) -> None:
    aws.client("s3").put_object(Bucket=signer.bucket, Key="uploads/ü ?.txt", Body=b"content")

    def link(key: str, expires: int = 60) -> str:
        named = {"Bucket": signer.bucket, "Key": key, "ResponseContentDisposition": 'attachment; filename="a.txt"'}
        return signer.s3.generate_presigned_url("get_object", Params=named, ExpiresIn=expires)

    good, short = link("uploads/ü ?.txt"), link("uploads/ü ?.txt", expires=1)
    answer = call(good)
    assert (answer.status, answer.body) == (200, b"content")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a.txt"'
    assert call(good.replace("%3F.txt", "other.txt")).status == 403
    assert call(good, method="PUT", body=b"x").status == 403
    assert call(good.replace("X-Amz-Expires=60", "X-Amz-Expires=600")).status == 403
    assert call(link("text.txt")).status == 403, "the signer may not read it"
    time.sleep(2)
    assert call(short).status == 403
