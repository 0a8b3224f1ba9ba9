"""Users who take more than their share: they are refused, the others are served, and costs have an end."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from local.demo.api_client import ApiUser
from local.deploy.stack import LocalStack, deploy_to
from tests.integration.harness import wait_until

SECONDS = 30
TEXT = b"A wonderful company. Its products are a joy to use, and its people are friendly."
TEXTS = {"texts": ["A joy."], "language": "en"}
# The throttles of API Gateway as they are on AWS, and quotas that are reached soon.
SETTINGS: dict[str, Any] = {
    "api": {"requests_per_second": 500, "burst": 1000, "costly_requests_per_second": 100, "costly_burst": 200},
    "quotas": {
        "requests_per_second": 20,
        "costly_requests_per_second": 2,
        "characters_per_day": 20_000,
        "stack_characters_per_day": 60_000,
        "running_jobs": 2,
        "projects": 4,
        "documents": 3,
        "stored_bytes": 10_000,
        "uploaded_bytes_per_day": 100_000,
        "companies": 5,
    },
    "jobs": {"max_characters": 8000},
}


@pytest.fixture(scope="module")
def small(stack: LocalStack) -> LocalStack:
    """A deployment beside the first, with small quotas."""
    return deploy_to(stack.aws, SETTINGS)


@pytest.fixture
def users(small: LocalStack, request: pytest.FixtureRequest) -> tuple[ApiUser, ApiUser]:
    """Two users whom no other test has used."""
    name = request.node.name.replace("_", "-")[:40]
    return ApiUser(small, f"1-{name}@example.com"), ApiUser(small, f"2-{name}@example.com")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(6) as pool:
        yield pool


def assert_over(answer: httpx.Response, status: int, quota: str) -> dict[str, Any]:
    problem = answer.json()
    assert (answer.status_code, problem.get("quota")) == (status, quota), answer.text
    assert 0 <= problem["left"] <= problem["limit"]
    if status == 429:
        assert int(answer.headers["retry-after"]) > 0
        assert problem["renews_at"] > datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return problem


def quotas(user: ApiUser) -> dict[str, dict[str, Any]]:
    return {one["quota"]: one for one in user.call("GET", "/quotas")["quotas"]}


def test_one_user_floods_and_the_other_is_served(users: tuple[ApiUser, ApiUser], threads: ThreadPoolExecutor) -> None:
    flooding, calm = users
    flood = [threads.submit(flooding.request, "POST", "/sentiment", TEXTS) for _ in range(120)]
    answers = [calm.request("POST", "/sentiment", TEXTS).status_code for _ in range(5)]
    statuses = Counter(one.result().status_code for one in flood)
    assert answers == [200] * 5
    assert statuses[429] > 40, statuses
    assert statuses.keys() == {200, 429}


def test_characters_of_a_day_are_of_one_user(small: LocalStack, users: tuple[ApiUser, ApiUser]) -> None:
    greedy, calm = users
    long = {"texts": ["x" * 5000] * 3}
    greedy.call("POST", "/sentiment", long)
    problem = assert_over(greedy.request("POST", "/sentiment", long), 429, "characters_per_day")
    assert problem["left"] == 5000
    assert calm.request("POST", "/sentiment", TEXTS).status_code == 200


def test_a_small_document_costs_no_more_than_its_job_may(users: tuple[ApiUser, ApiUser]) -> None:
    """A few kilobytes of .docx can hold millions of characters; the answer says what they can cost at most."""
    user, _ = users
    project = user.create_project("Small and expensive")
    user.upload(project, "bomb.docx", word_document("x " * 2_000_000))
    body = {"kind": "translate", "options": {"target": "de"}, "max_characters": 9000}
    refused = user.request("POST", f"/projects/{project}/jobs", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "max_characters")
    job = user.call("POST", f"/projects/{project}/jobs", {**body, "max_characters": 5000})
    assert job["max_characters"] == job["at_most"]["characters"] == 5000
    assert 5000 * 15e-6 <= job["at_most"]["dollars"] <= 0.25
    user.request("DELETE", f"/projects/{project}/jobs/{job['job']}")


def word_document(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/footnotes.xml", f"<w:footnotes>{text}</w:footnotes>")
    assert len(content.getvalue()) < 10_000
    return content.getvalue()


def test_the_limit_reaches_the_job(small: LocalStack, users: tuple[ApiUser, ApiUser]) -> None:
    user, _ = users
    project = user.create_project("Limited")
    user.upload(project, "a.txt", TEXT)
    body = {"kind": "analyse", "max_characters": 7000}
    job = user.call("POST", f"/projects/{project}/jobs", body)["job"]
    ended = user.follow_job(project, job)
    assert ended["status"] == "completed", ended
    made = small.aws.client("sagemaker").describe_processing_job(ProcessingJobName=f"analyse-{job}")
    assert made["Environment"]["MAX_CHARACTERS"] == "7000"
    shown = quotas(user)["characters_per_day"]
    assert 0 < shown["used"] <= 2 * len(TEXT), "what the job sent counts, not what it might have"


def test_running_jobs_are_of_one_user(users: tuple[ApiUser, ApiUser]) -> None:
    greedy, calm = users
    body = {"kind": "analyse", "max_characters": 500}
    projects = [greedy.create_project(f"Jobs {number}") for number in range(3)]
    for project in projects:
        greedy.upload(project, "a.txt", TEXT * 5)
    answers = [greedy.request("POST", f"/projects/{project}/jobs", body) for project in projects]
    started = [(project, answer.json()["job"]) for project, answer in zip(projects, answers[:2], strict=False)]
    assert_over(answers[2], 409, "running_jobs")
    project = calm.create_project("Jobs")
    calm.upload(project, "a.txt", TEXT)
    job = calm.call("POST", f"/projects/{project}/jobs", body)["job"]
    calm.follow_job(project, job)
    for project, job in started:
        greedy.request("DELETE", f"/projects/{project}/jobs/{job}")
    assert quotas(greedy)["running_jobs"]["used"] == 0


def test_projects_and_documents_have_an_end(users: tuple[ApiUser, ApiUser]) -> None:
    greedy, calm = users
    made = [greedy.create_project(f"Project {number}") for number in range(4)]
    assert_over(greedy.request("POST", "/projects", {"name": "One more"}), 409, "projects")
    for number in range(3):
        greedy.call("POST", f"/projects/{made[0]}/documents", {"name": f"{number}.txt"})
    answer = greedy.request("POST", f"/projects/{made[0]}/documents", {"name": "4.txt"})
    assert_over(answer, 409, "documents")
    calm.create_project("Mine")
    greedy.call("DELETE", f"/projects/{made[1]}")
    greedy.create_project("Again")


def test_a_form_takes_no_more_than_is_left_however_often_it_is_sent(
    small: LocalStack, users: tuple[ApiUser, ApiUser]
) -> None:
    user, _ = users
    project = user.create_project("Bytes")
    forms = [user.call("POST", f"/projects/{project}/documents", {"name": f"{n}.txt"})["form"] for n in range(3)]
    assert {form["max_bytes"] for form in forms} == {10_000}
    assert send(forms[0], 10_001) == 400
    assert [send(form, 7500) for form in forms] == [204, 204, 204]
    for _ in range(7):
        send(forms[0], 7500)
    wait_until(lambda: len(uploaded(user, project)) == 1, SECONDS, "only one has room")
    wait_until(lambda: bytes_of(small, project) == 7500, SECONDS, "no other version is stored")
    assert quotas(user)["stored_bytes"]["used"] == 7500
    [kept] = uploaded(user, project)
    removed = [one for one in documents(user, project) if one["refused"]]
    assert removed
    assert "bytes of documents, of which 2,500 are left" in removed[0]["refused"]
    user.call("DELETE", f"/projects/{project}/documents/{kept}")
    assert quotas(user)["stored_bytes"]["used"] == 0


def send(form: dict[str, Any], size: int) -> int:
    return httpx.post(form["url"], data=form["fields"], files={"file": ("a.txt", b"x" * size)}).status_code


def documents(user: ApiUser, project: str) -> list[dict[str, Any]]:
    return user.call("GET", f"/projects/{project}/documents")["documents"]


def uploaded(user: ApiUser, project: str) -> list[str]:
    return [one["document"] for one in documents(user, project) if one["uploaded"]]


def bytes_of(stack: LocalStack, project: str) -> int:
    """All bytes that a project's documents take in the bucket, old versions included."""
    versions = stack.aws.client("s3").list_object_versions(
        Bucket=stack.outputs["documents_bucket"], Prefix=f"projects/{project}/"
    )
    return sum(version["Size"] for version in versions.get("Versions", []))


def test_companies_have_an_end(users: tuple[ApiUser, ApiUser]) -> None:
    user, _ = users
    changes = [{"action": "add", "name": f"Company {number}"} for number in range(6)]
    assert_over(user.request("POST", "/companies", {"changes": changes}), 409, "companies")
    user.call("POST", "/companies", {"changes": changes[:5]})
    assert_over(user.request("PUT", "/companies/One%20more", {}), 409, "companies")


def test_results_expire_and_documents_do_not(small: LocalStack) -> None:
    rules = small.aws.client("s3").get_bucket_lifecycle_configuration(Bucket=small.outputs["documents_bucket"])["Rules"]
    expiring = {rule["Filter"]["Prefix"]: rule["Expiration"]["Days"] for rule in rules if "Expiration" in rule}
    assert expiring == {"results/": 365}
    [tidy] = [rule for rule in rules if rule["Filter"]["Prefix"] == ""]
    assert tidy["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert json.dumps(tidy["AbortIncompleteMultipartUpload"]) == '{"DaysAfterInitiation": 7}'
