"""`nlp projects`: projects hold documents and the jobs that work on them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from cli.options import Invocation, examples, global_options, limit_option
from cli.ui.errors import CliError
from cli.ui.output import hint, say, write_fields, write_json, write_table
from cli.ui.text import counted, printable, relative_time

if TYPE_CHECKING:
    from cli.api.client import Api

Project = dict[str, Any]


@click.group(epilog=examples("nlp projects create 'Contracts 2026'", "nlp projects list"))
@global_options()
def projects() -> None:
    """Manage projects, which hold documents and jobs.

    A project is named by its id, or by its name where only one has it.
    """


@projects.command(
    "list", epilog=examples("nlp projects list", "nlp projects list --archived", "nlp projects list --json | jq length")
)
@click.option("--archived", is_flag=True, help="List archived projects instead.")
@limit_option
@global_options()
@click.pass_obj
def list_projects(invocation: Invocation, archived: bool, limit: int | None) -> None:
    """List your projects and those shared with you, newest first."""
    api = invocation.api
    found = list(islice(api.pages("projects", "projects", archived="true" if archived else None), limit))
    if invocation.json:
        write_json(found)
    elif found:
        you = _you(api)
        rows = [
            [
                project["project"],
                "you" if project["owner"] == you else "another",
                str(len(project["shared_with"]) or ""),
                relative_time(project["created_at"]),
                project["name"],
            ]
            for project in found
        ]
        write_table(["project", "owner", "shared", "created", "name"], rows, right=["shared"], whole=["project"])
    else:
        hint("No archived projects." if archived else "No projects yet. Create one: nlp projects create NAME")


@projects.command(
    epilog=examples("nlp projects create 'Contracts 2026'", "nlp projects create Letters --description 'In German'")
)
@click.argument("name")
@click.option("--description", metavar="TEXT", help="More about it.")
@global_options()
@click.pass_obj
def create(invocation: Invocation, name: str, description: str | None) -> None:
    """Create a project; it belongs to you."""
    from uuid import uuid4

    body = {"name": name, **({"description": description} if description else {})}
    project = invocation.api.post("projects", body=body, key=str(uuid4()))
    if invocation.json:
        write_json(project)
        return
    identifier = project["project"]
    say(f"Created project {printable(project['name'])}: {identifier}")
    hint(f"Next: {invocation.command(f'documents upload -p {identifier} FILE...')}")


@projects.command(epilog=examples("nlp projects show 'Contracts 2026'"))
@click.argument("project")
@global_options()
@click.pass_obj
def show(invocation: Invocation, project: str) -> None:
    """Show a project."""
    from cli.api.project_names import find_project

    _write(invocation, find_project(invocation.api, project))


@projects.command(
    epilog=examples(
        "nlp projects change Letters --name 'Letters 2026'",
        "nlp projects change Letters --description ''",
        "nlp projects change Letters --restore",
    )
)
@click.argument("project")
@click.option("--name", metavar="NAME", help="Its new name.")
@click.option("--description", metavar="TEXT", help="Its new description; an empty one removes it.")
@click.option("--restore", is_flag=True, help="Bring an archived project back.")
@global_options()
@click.pass_obj
def change(invocation: Invocation, project: str, name: str | None, description: str | None, restore: bool) -> None:
    """Rename or describe a project, or bring it back."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = name
    if description is not None:
        changes["description"] = description or None
    if restore:
        changes["active"] = True
    if not changes:
        raise click.UsageError("Say what to change: --name, --description or --restore.")
    from cli.api.project_names import project_id

    api = invocation.api
    _write(invocation, api.patch("projects", project_id(api, project), body=changes, repeatable=True))


@projects.command(
    epilog=examples(
        "nlp projects share Letters 5d2f8c1e-7b64-4f0a-9c3d-1e2f3a4b5c6d",
        "nlp projects share Letters colleague@example.com",
        "nlp projects share Letters --remove colleague@example.com",
    )
)
@click.argument("project")
@click.argument("users", nargs=-1, required=True, metavar="USER...")
@click.option("--remove", is_flag=True, help="Share it with them no longer.")
@global_options()
@click.pass_obj
def share(invocation: Invocation, project: str, users: tuple[str, ...], remove: bool) -> None:
    """Let others see a project and work in it.

    USER is an id, as `nlp login` tells its user and `nlp users list` everybody's. An e-mail address is looked up among
    the accounts, which needs AWS credentials.
    """
    from cli.api.project_names import find_project

    api = invocation.api
    wanted = [_user_id(invocation, user) for user in users]
    found = find_project(api, project)
    before: list[str] = found["shared_with"]
    after = [user for user in before if user not in wanted] if remove else list(dict.fromkeys([*before, *wanted]))
    if after != before:
        found = api.patch("projects", found["project"], body={"shared_with": after}, repeatable=True)
    if invocation.json:
        write_json(found)
    else:
        say(f"{printable(found['name'])} is shared with {counted(len(found['shared_with']), 'user')}.")


@projects.command(epilog=examples("nlp projects archive Letters", "nlp projects change Letters --restore"))
@click.argument("project")
@global_options()
@click.pass_obj
def archive(invocation: Invocation, project: str) -> None:
    """Archive a project.

    Nothing is deleted: it can be read, and brought back.
    """
    from cli.api.project_names import find_project

    api = invocation.api
    found = find_project(api, project)
    api.delete("projects", found["project"])
    if invocation.json:
        write_json({"project": found["project"], "archived": True})
        return
    say(f"Archived {printable(found['name'])}.")
    restore = invocation.command(f"projects change {found['project']} --restore")
    hint(f"Bring it back: {restore}")


@projects.command(epilog=examples("nlp projects leave 'Contracts 2026'"))
@click.argument("project")
@global_options()
@click.pass_obj
def leave(invocation: Invocation, project: str) -> None:
    """Leave a project that somebody else shares with you.

    You do not see it any more. Its owner can share it with you again.
    """
    from cli.api.errors import ApiError
    from cli.api.project_names import find_project

    api = invocation.api
    found = find_project(api, project)
    try:
        api.delete("projects", found["project"], "members", "me")
    except ApiError as error:
        # A first request, whose answer was lost, may have done it.
        if not (error.status == 404 and error.repeated):
            raise
    if invocation.json:
        write_json({"project": found["project"], "left": True})
    else:
        say(f"Left {printable(found['name'])}.")


def _user_id(invocation: Invocation, user: str) -> str:
    if "@" not in user:
        return user
    from cli.aws.people import accounts

    found = accounts(invocation.deployment, user)
    if not found:
        raise CliError(f"{user} has no account: invite them, nlp users add {user}")
    return found[0]["user"]


def _write(invocation: Invocation, project: Project) -> None:
    if invocation.json:
        write_json(project)
        return
    you = _you(invocation.api)

    def named(user: str) -> str:
        return f"{user} (you)" if user == you else user

    write_fields(
        {
            "project": project["project"],
            "name": project["name"],
            "description": project["description"],
            "owner": named(project["owner"]),
            "shared with": ", ".join(map(named, project["shared_with"])),
            "state": "active" if project["active"] else "archived",
            "created": relative_time(project["created_at"]),
            "changed": f"{relative_time(project['updated_at'])} by {named(project['updated_by'])}",
        }
    )


def _you(api: Api) -> str:
    """Return the id of whoever is signed in, as far as their token tells."""
    from cli.api.identity import claims_of

    return str(claims_of(api.identity.token()).get("sub", ""))
