"""`nlp dead-letters`: messages that failed too often."""

from __future__ import annotations

import click

from cli.options import Invocation, examples, global_options
from cli.ui.errors import CliError
from cli.ui.output import hint, progress, say, write_json, write_table
from cli.ui.text import counted, relative_time


@click.group("dead-letters", epilog=examples("nlp dead-letters list", "nlp dead-letters redrive"))
@global_options()
def dead_letters() -> None:
    """See the messages that failed, and send them again."""


@dead_letters.command(
    "list",
    epilog=examples("nlp dead-letters list", "nlp dead-letters list --limit 500 --json"),
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N")
@global_options()
@click.pass_obj
def list_dead_letters(invocation: Invocation, limit: int) -> None:
    """List dead letters, without taking them from their queue."""
    from cli.aws.dead_letter_queue import DeadLetterQueue

    queue = DeadLetterQueue(invocation.deployment)
    found = queue.peek(limit)
    if invocation.json:
        write_json(found)
    elif found:
        write_table(
            ["company", "run", "receives", "sent", "body"],
            [
                [
                    letter.company or "?",
                    letter.run or "?",
                    str(letter.receives),
                    relative_time(letter.sent_at),
                    # The body of a work message says nothing that the other columns do not.
                    "" if letter.company and letter.run else letter.body,
                ]
                for letter in found
            ],
            right=["receives"],
        )
    else:
        hint("There are no dead letters.")
        return
    size = queue.size()
    if len(found) >= limit and size > limit:
        hint(f"{len(found):,} of about {size:,}; more: --limit {size}")
    if found:
        hint("Why each failed is in the log of the function analyse (docs/operating.md shows where).")
        hint("Send them to work again: nlp dead-letters redrive")


@dead_letters.command(epilog=examples("nlp dead-letters redrive", "nlp dead-letters redrive --company Nike"))
@click.option("--company", "names", metavar="NAME", multiple=True, help="Only this company. Repeatable.")
@global_options()
@click.pass_obj
def redrive(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Move dead letters back to the work queue, all or those of some companies."""
    from cli.aws.dead_letter_queue import DeadLetterQueue
    from cli.ui.names import from_options
    from schema.names import stored_company_name

    companies = set(from_options(names, stored_company_name))
    queue = DeadLetterQueue(invocation.deployment)
    with progress("Moving messages", queue.size()) as finished:
        result = queue.redrive(companies, finished)
    if invocation.json:
        write_json(result)
    else:
        say(f"Moved {counted(result.moved, 'message')} to the work queue.")
        if result.left:
            say(f"Left {counted(result.left, 'message')} about other companies.")
    if result.refused:
        raise CliError(
            f"The work queue refused {counted(result.refused, 'message')}; "
            "they are still dead letters: run the command again."
        )
