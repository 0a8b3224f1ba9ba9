"""SageMaker's prebuilt images: addresses by name and region, and the repositories that a role may pull from."""

from __future__ import annotations

from datetime import date

import pytest

from components.blocks.compute.sagemaker_images import image_warnings, prebuilt_image, repository_arn


@pytest.mark.parametrize(
    ("name", "region", "address"),
    [
        (
            "huggingface-pytorch-inference",
            "eu-central-1",
            "763104351884.dkr.ecr.eu-central-1.amazonaws.com/huggingface-pytorch-inference:1",
        ),
        ("pytorch-training", "eu-south-1", "692866216735.dkr.ecr.eu-south-1.amazonaws.com/pytorch-training:1"),
        (
            "sagemaker-scikit-learn",
            "us-east-1",
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1",
        ),
    ],
)
def test_address_is_that_of_the_regions_registry(name: str, region: str, address: str) -> None:
    assert prebuilt_image(name, "1", region) == address


@pytest.mark.parametrize(
    ("name", "region", "message"),
    [
        ("tensorflow", "eu-central-1", "Image tensorflow: unknown; known are huggingface-pytorch-inference, "),
        ("pytorch-training", "moon-1", "Image pytorch-training in moon-1: unknown region; known are af-south-1, "),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(name: str, region: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prebuilt_image(name, "1", region)


@pytest.mark.parametrize("version", [":1.0", "@sha256:00", ""])
def test_repository_is_read_out_of_an_address(version: str) -> None:
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/batch{version}"
    assert repository_arn(image) == "arn:aws:ecr:eu-central-1:123456789012:repository/team/batch"


@pytest.mark.parametrize("image", ["python:3.12", "public.ecr.aws/docker/library/python:3.12", "x.dkr.ecr"])
def test_images_that_sagemaker_cannot_pull_are_refused(image: str) -> None:
    with pytest.raises(ValueError, match="expected <account>"):
        repository_arn(image)


REGISTRY = "492215442770.dkr.ecr.eu-central-1.amazonaws.com"
BY_DIGEST = f"{REGISTRY}/sagemaker-scikit-learn@sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("image", "today", "words"),
    [
        (BY_DIGEST, date(2028, 1, 1), []),
        (f"{REGISTRY}/sagemaker-scikit-learn:1.9-0-cpu-py3", date(2027, 7, 16), ["named by a tag"]),
        (
            f"{REGISTRY}/sagemaker-scikit-learn:1.9-0-cpu-py3",
            date(2027, 7, 17),
            ["named by a tag", "not patched since 2027-07-16"],
        ),
        (
            f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-py312@sha256:{'0' * 64}",
            date(2026, 11, 26),
            ["not patched since 2026-10-30"],
        ),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/mine:2", date(2026, 11, 26), ["named by a tag"]),
    ],
)
def test_image_that_may_change_or_is_no_longer_patched_is_warned_of(image: str, today: date, words: list[str]) -> None:
    warnings = image_warnings(image, today)
    assert len(warnings) == len(words)
    assert all(said in warning for said, warning in zip(words, warnings, strict=True))
