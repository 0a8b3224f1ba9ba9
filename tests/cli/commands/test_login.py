"""`nlp login`, `nlp logout`, `nlp token` and `nlp users`, with a user pool in the emulator."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from schema.roles import ROLES
from tests.support.cli_api import YOU, environment_of, jwt
from tests.support.cli_aws import Product

EMAIL = "ann@example.com"
PASSWORD = "A-good-password-1"


@pytest.fixture
def pool(product: Product, tmp_path: Path) -> Pool:
    return Pool(product, tmp_path)


class Pool:
    """A deployment with a user pool, and the command line of somebody who has no AWS credentials."""

    def __init__(self, product: Product, folder: Path) -> None:
        self.product = product
        self.folder = folder
        self.cognito = product.client("cognito-idp")
        created = self.cognito.create_user_pool(
            PoolName="users",
            UsernameAttributes=["email"],
            Policies={"PasswordPolicy": {"MinimumLength": 12}},
        )
        self.id = created["UserPool"]["Id"]
        client = self.cognito.create_user_pool_client(
            UserPoolId=self.id,
            ClientName="command-line",
            ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"],
        )
        for role in ROLES:
            self.cognito.create_group(UserPoolId=self.id, GroupName=role)
        self.outputs: dict[str, Any] = {
            "api_url": f"{product.endpoint}/api",
            "user_pool": self.id,
            "command_line_client": client["UserPoolClient"]["ClientId"],
            "issuer": f"https://cognito-idp.eu-central-1.amazonaws.com/{self.id}",
        }

    def add(self, password: str = PASSWORD, permanent: bool = True) -> str:
        """Make an account and return its id."""
        user = self.cognito.admin_create_user(
            UserPoolId=self.id, Username=EMAIL, MessageAction="SUPPRESS", TemporaryPassword=password
        )["User"]
        if permanent:
            self.cognito.admin_set_user_password(UserPoolId=self.id, Username=EMAIL, Password=password, Permanent=True)
        return user["Username"]

    def invoke(self, *arguments: str, user: dict[str, str] | None = None, code: int = 0, **options: Any) -> Result:
        outputs = {**self.product.outputs, **self.outputs}
        environment = {**environment_of(self.folder), "NLP_TOKEN": None, **options.pop("env", {})}
        self.product.describe(outputs, user=user)
        return self.product.invoke(*arguments, code=code, env=environment, **options)


def code_of(secret: str) -> str:
    """What an authenticator shows (RFC 6238)."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time() // 30)), hashlib.sha1).digest()
    number = struct.unpack_from(">I", digest, digest[-1] & 15)[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def test_sign_in_and_out(pool: Pool) -> None:
    user = pool.add()
    result = pool.invoke("login", input=f"{EMAIL}\n{PASSWORD}\n")
    assert result.stdout == f"Signed in as {EMAIL}.\n"
    assert user in result.stderr
    assert PASSWORD not in result.output
    assert not (token := pool.invoke("token").stdout.strip()).startswith("{")
    assert token not in result.output

    assert pool.invoke("logout").stdout == "Signed out.\n"
    assert "You are not signed in" in pool.invoke("token", code=1).stderr
    assert pool.invoke("logout").stdout == "Nobody was signed in.\n"


def test_signing_out_revokes_the_refresh_token(pool: Pool) -> None:
    pool.add()
    pool.invoke("login", "--email", EMAIL, input=f"{PASSWORD}\n")
    (file,) = (pool.folder / "state" / "cloud-nlp" / "tokens").iterdir()
    content = file.read_text()
    pool.invoke("logout")
    assert not file.exists()
    file.write_text(content.replace('"expires_at":', '"expires_at":0.0,"before":'))
    assert "The sign-in has ended" in pool.invoke("token", code=1).stderr


def test_password_on_stdin(pool: Pool) -> None:
    user = pool.add()
    result = pool.invoke("login", "--email", EMAIL, "--password-stdin", "--json", input=f"{PASSWORD}\n")
    assert f'"user": "{user}"' in result.stdout
    pool.invoke("login", "--password-stdin", code=2)
    pool.invoke("login", "--token-stdin", "--email", EMAIL, code=2)
    error = pool.invoke("login", "--email", EMAIL, "--password-stdin", code=1, input="").stderr
    assert "stdin has no line for it: Password" in error


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
def test_wrong_password(pool: Pool, email: str) -> None:
    pool.add()
    error = pool.invoke("login", "--email", email, code=1, input="Another-password-1\n").stderr
    assert error.splitlines()[-1] == "nlp: The e-mail address or the password is wrong."


def test_disabled_and_unconfirmed_accounts(pool: Pool) -> None:
    pool.add()
    pool.cognito.admin_disable_user(UserPoolId=pool.id, Username=EMAIL)
    assert "The account is disabled" in pool.invoke("login", "--email", EMAIL, code=1, input=f"{PASSWORD}\n").stderr
    client = pool.outputs["command_line_client"]
    pool.cognito.sign_up(ClientId=client, Username="new@example.com", Password=PASSWORD)
    error = pool.invoke("login", "--email", "new@example.com", code=1, input=f"{PASSWORD}\n").stderr
    assert "not confirmed yet" in error


def test_an_invited_user_chooses_a_password(pool: Pool) -> None:
    pool.add("Temporary-pass-1", permanent=False)
    new = "My-own-password-2"
    lines = f"Temporary-pass-1\n{new}\nMistyped\n{new}\n{new}\n"
    result = pool.invoke("login", "--email", EMAIL, input=lines)
    assert "at least 12 characters" in result.stderr
    assert "do not match" in result.stderr
    pool.invoke("login", "--email", EMAIL, "--password-stdin", input=f"{new}\n")


def test_the_second_factor_is_asked_for(pool: Pool) -> None:
    pool.cognito.set_user_pool_mfa_config(
        UserPoolId=pool.id, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    pool.add()
    pool.invoke("login", "--email", EMAIL, input=f"{PASSWORD}\n")
    token = pool.invoke("token").stdout.strip()
    secret = pool.cognito.associate_software_token(AccessToken=token)["SecretCode"]
    pool.cognito.verify_software_token(AccessToken=token, UserCode=code_of(secret))
    wrong = f"{(int(code_of(secret)) + 1) % 1_000_000:06}"

    code = code_of(secret)
    result = pool.invoke("login", "--email", EMAIL, input=f"{PASSWORD}\n{wrong}\n{code[:3]} {code[3:]}\n")
    assert "Code of your authenticator" in result.stderr
    assert "Signed in" in result.stdout
    lines = f"{PASSWORD}\n{wrong}\n"
    error = pool.invoke("login", "--email", EMAIL, "--password-stdin", code=1, input=lines).stderr
    assert "The code is wrong" in error


def test_the_local_user_is_asked_nothing(pool: Pool) -> None:
    pool.add()
    user = {"email": EMAIL, "password": PASSWORD}
    assert pool.invoke("login", user=user).stdout == f"Signed in as {EMAIL}.\n"
    pool.invoke("logout", user=user)
    assert pool.invoke("token", user=user).stdout.count(".") == 2
    assert "password is wrong" in pool.invoke("login", "--email", "b@c.de", user=user, code=1, input="x\n").stderr


def test_no_aws_credentials_are_needed(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it may know credentials of another test
    pool.add()
    outputs = pool.folder / "dev.json"
    outputs.write_text(json.dumps({**pool.product.outputs, **pool.outputs}))
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
    nothing = {
        **dict.fromkeys(names),
        "AWS_CONFIG_FILE": str(pool.folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(pool.folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    (pool.folder / "config").write_text("[default]\ncredential_process = false\n")  # fails when it is asked
    environment = {**nothing, "NLP_OUTPUTS": str(outputs), "AWS_ENDPOINT_URL": pool.product.endpoint}
    arguments = ("--stack", "dev", "login", "--email", EMAIL, "--password-stdin")
    asked = environment | {"AWS_CONFIG_FILE": str(pool.folder / "config")}
    assert "Signed in" in pool.invoke(*arguments, input=f"{PASSWORD}\n", env=asked).stdout
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    error = pool.invoke("--stack", "dev", "users", "list", code=1, env=environment).stderr
    assert "No AWS credentials" in error
    pool.invoke("--stack", "dev", "logout", env=environment)
    assert "run `nlp --stack dev login`" in pool.invoke("--stack", "dev", "token", code=1, env=environment).stderr


def test_another_issuer(pool: Pool) -> None:
    pool.outputs |= {"user_pool": "", "command_line_client": "", "issuer": "https://login.example.com"}
    error = pool.invoke("login", code=1).stderr
    assert "https://login.example.com" in error
    assert "nlp login --token-stdin" in error
    assert "manage them there" in pool.invoke("users", "list", code=1).stderr

    ends = int(time.time()) + 3600
    given = jwt(exp=ends)
    result = pool.invoke("login", "--token-stdin", input=f"Bearer {given}\n")
    assert result.stdout.startswith(f"Signed in as {YOU} until ")
    assert pool.invoke("token").stdout == f"{given}\n"
    assert f'"expires_at": {ends}' in pool.invoke("token", "--json").stdout
    assert pool.invoke("logout").stdout == "Signed out.\n"
    assert "no token in stdin" in pool.invoke("login", "--token-stdin", code=1, input="\n").stderr


def test_invitations(pool: Pool) -> None:
    invited = pool.invoke("users", "invite", EMAIL, "--json").stdout
    temporary = invited.rpartition('"temporary_password": "')[2].partition('"')[0]
    assert "has an account already" in pool.invoke("users", "invite", EMAIL, code=1).stderr
    pool.invoke("users", "invite", "nonsense", code=2)
    assert "was not invited before" in pool.invoke("users", "invite", "--resend", "x@y.z", code=1).stderr

    shown = pool.invoke("users", "list").stdout
    assert shown.splitlines()[1].split()[1] == "invited"
    second = pool.invoke("users", "invite", "--resend", EMAIL).stdout.split()[-1]
    assert temporary != second
    assert "is wrong" in pool.invoke("login", "--email", EMAIL, code=1, input=f"{temporary}\n").stderr
    pool.invoke("login", "--email", EMAIL, input=f"{second}\n{PASSWORD}\n{PASSWORD}\n")
    user = pool.invoke("users", "list").stdout.splitlines()[1].split()
    assert (user[0].count("-"), user[1], user[-1]) == (4, "active", EMAIL)


def test_no_accounts(pool: Pool) -> None:
    assert "nlp users add" in pool.invoke("users", "list").stderr
    assert pool.invoke("users", "list", "--json").stdout == "[]\n"


def roles(pool: Pool) -> dict[str, tuple[str | None, str]]:
    listed = json.loads(pool.invoke("users", "list", "--json").stdout)
    return {one["email"]: (one["role"], one["state"]) for one in listed}


def test_people_get_roles(pool: Pool) -> None:
    added = json.loads(pool.invoke("users", "add", EMAIL, "--role", "editor", "--json").stdout)
    assert (added["email"], added["role"]) == (EMAIL, "editor")
    assert (
        "Invited bob@example.com as reader."
        in pool.invoke("users", "invite", "bob@example.com", "--role", "reader").stdout
    )
    pool.invoke("users", "add", "eve@example.com")
    assert roles(pool) == {
        EMAIL: ("editor", "invited"),
        "bob@example.com": ("reader", "invited"),
        "eve@example.com": (None, "invited"),
    }
    table = pool.invoke("users", "list").stdout.splitlines()
    assert [line.split()[2] for line in table] == ["role", "editor", "reader", "default"]

    changed = json.loads(pool.invoke("users", "role", EMAIL, "admin", "--json").stdout)
    assert (changed["email"], changed["role"]) == (EMAIL, "admin")
    assert "has the role reader" in pool.invoke("users", "role", EMAIL, "reader").stdout
    groups = pool.cognito.admin_list_groups_for_user(UserPoolId=pool.id, Username=EMAIL)["Groups"]
    assert [group["GroupName"] for group in groups] == ["reader"]
    assert "has the default role" in pool.invoke("users", "role", EMAIL, "none").stdout
    assert roles(pool)[EMAIL] == (None, "invited")
    pool.invoke("users", "role", EMAIL, "owner", code=2)
    pool.invoke("users", "add", "x@example.com", "--role", "owner", code=2)


def test_people_are_disabled_enabled_and_removed(pool: Pool) -> None:
    user = pool.add()
    pool.invoke("users", "role", EMAIL, "editor")
    assert pool.invoke("users", "disable", EMAIL).stdout == f"{EMAIL} cannot sign in any more.\n"
    assert roles(pool)[EMAIL] == ("editor", "disabled")
    assert "The account is disabled" in pool.invoke("login", "--email", EMAIL, code=1, input=f"{PASSWORD}\n").stderr
    enabled = json.loads(pool.invoke("users", "enable", user, "--json").stdout)
    assert (enabled["user"], enabled["state"], enabled["role"]) == (user, "active", "editor")
    pool.invoke("login", "--email", EMAIL, input=f"{PASSWORD}\n")

    assert "Nothing was removed" in pool.invoke("users", "remove", EMAIL, code=1, input="n\n").stderr
    assert "Nothing was removed" in pool.invoke("users", "remove", EMAIL, code=1, input="").stderr
    assert roles(pool)[EMAIL] == ("editor", "active")
    assert pool.invoke("users", "remove", EMAIL, "--yes").stdout == f"Removed {EMAIL}.\n"
    assert roles(pool) == {}


def test_who_is_not_there_is_told(pool: Pool) -> None:
    for command in (("disable", EMAIL), ("role", EMAIL, "reader"), ("enable", "0c4f"), ("remove", "--yes", EMAIL)):
        assert "has no account: see `nlp users list`" in pool.invoke("users", *command, code=1).stderr
    assert 'a" or email' in pool.invoke("users", "disable", 'a" or email ^= "@', code=1).stderr


def test_an_address_with_two_accounts_is_not_guessed(pool: Pool) -> None:
    first = pool.add()
    second = pool.cognito.admin_create_user(UserPoolId=pool.id, Username="other@example.com", MessageAction="SUPPRESS")[
        "User"
    ]["Username"]
    # As people of identity providers have, who come with whatever address they have there.
    address = [{"Name": "email", "Value": EMAIL}]
    pool.cognito.admin_update_user_attributes(UserPoolId=pool.id, Username=second, UserAttributes=address)
    error = pool.invoke("users", "disable", EMAIL, code=1).stderr
    assert "2 accounts" in error
    assert first in error
    assert second in error


def test_a_role_that_could_not_be_given_is_told(pool: Pool) -> None:
    pool.cognito.delete_group(UserPoolId=pool.id, GroupName="editor")
    error = pool.invoke("users", "add", EMAIL, "--role", "editor", code=1).stderr
    assert f"{EMAIL} was invited, but has no role yet: nlp users role {EMAIL} editor" in error
