"""SageMaker's prebuilt container images, by name and region, without a call to AWS.

The provider has a function for this (`aws.sagemaker.get_prebuilt_ecr_image`), which every preview would have to call.
The accounts that publish images have not changed since their regions opened, so they are listed here.
"""

from __future__ import annotations

from datetime import date

# Deep learning containers (PyTorch, Hugging Face and their like), by region. Source: `registries` in
# https://github.com/aws/sagemaker-python-sdk/blob/master/src/sagemaker/image_uri_config/huggingface.json
_DEEP_LEARNING = dict.fromkeys(
    (
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    ),
    "763104351884",
) | {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-northeast-3": "364406365360",
    "eu-south-1": "692866216735",
    "me-south-1": "217643126080",
}
# scikit-learn, by region. Source: `registries` in
# https://github.com/aws/sagemaker-python-sdk/blob/master/sagemaker-core/src/sagemaker/core/image_uri_config/sklearn.json
_SCIKIT_LEARN = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
_ACCOUNTS = {
    "huggingface-pytorch-inference": _DEEP_LEARNING,
    "huggingface-pytorch-training": _DEEP_LEARNING,
    "pytorch-inference": _DEEP_LEARNING,
    "pytorch-training": _DEEP_LEARNING,
    "sagemaker-scikit-learn": _SCIKIT_LEARN,
}


# Last day on which AWS patches an image, by name and by the start of its tag.
# https://aws.github.io/deep-learning-containers/reference/support_policy/, read on 2026-11-26
_PATCHED_UNTIL = (
    ("sagemaker-scikit-learn", "1.9-0", date(2027, 7, 16)),
    ("sagemaker-scikit-learn", "1.4-2", date(2026, 10, 30)),
    ("pytorch-training", "2.10", date(2027, 1, 21)),
    ("pytorch-inference", "2.6", date(2026, 6, 30)),
    ("huggingface-pytorch-inference", "2.6", date(2026, 6, 30)),
)


def prebuilt_image(name: str, version: str, region: str) -> str:
    """Look up the address of one of SageMaker's images.

    Parameters
    ----------
    name
        Of the repository, such as `sagemaker-scikit-learn`.
    version
        The image's tag, such as `1.9-0-cpu-py3`. Which there are:
        https://aws.github.io/deep-learning-containers/reference/available_images/.
    region
        Where the image is used; SageMaker pulls images of its own region only.

    Raises
    ------
    ValueError
        The image or the region is not known here; the message has those that are.
    """
    accounts = _ACCOUNTS.get(name)
    if accounts is None:
        raise ValueError(f"Image {name}: unknown; known are {', '.join(sorted(_ACCOUNTS))}")
    account = accounts.get(region)
    if account is None:
        raise ValueError(f"Image {name} in {region}: unknown region; known are {', '.join(sorted(accounts))}")
    return f"{account}.dkr.ecr.{region}.amazonaws.com/{name}:{version}"


def image_warnings(image: str, today: date) -> list[str]:
    """Say what makes an image less safe than it could be.

    Parameters
    ----------
    image
        Address of the image, with a tag or a digest.
    today
        The day of the deployment.
    """
    warnings = []
    name, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    if "@sha256:" not in image:
        warnings.append(
            f"Jobs run in {image}, which is named by a tag, and a tag can be moved to another image. "
            "Run `make lock-images`, or name jobs.image with its digest (...@sha256:...)."
        )
    for known, start, last in _PATCHED_UNTIL:
        if known == name and tag.startswith(start) and today > last:
            warnings.append(
                f"Jobs run in {image}, which AWS has not patched since {last}. Choose a newer image: "
                "https://aws.github.io/deep-learning-containers/reference/support_policy/"
            )
    return warnings


def repository_arn(image: str) -> str:
    """Derive the ARN of an image's repository from the image's address.

    Parameters
    ----------
    image
        Such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com/name:tag`, or with `@sha256:...` in place of the tag.

    Raises
    ------
    ValueError
        The address is not one of Amazon ECR.
    """
    registry, _, path = image.partition("/")
    parts = registry.split(".")
    if not path or len(parts) < 6 or parts[1:3] != ["dkr", "ecr"]:
        raise ValueError(f"Image {image}: expected <account>.dkr.ecr.<region>.amazonaws.com/<name>:<tag>")
    name = path.partition("@")[0].partition(":")[0]
    return f"arn:aws:ecr:{parts[3]}:{parts[0]}:repository/{name}"
