"""The process of a document: what it cannot do, what ends it, and what the program makes of that."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from handlers.batch.budget import Budget
from handlers.batch.errors import DocumentError
from handlers.batch.isolation.channel import MESSAGE_BYTES, Channel, ChannelError
from handlers.batch.isolation.conversation import Conversations
from handlers.batch.isolation.document import Task
from handlers.batch.isolation.machine import Memory, memory_for_documents
from handlers.batch.isolation.messages import Counted, Done, FromDocument, Go, Translate, Translated
from handlers.batch.isolation.processes import STOPPED, Processes
from tests.handlers.batch import misbehaving
from tests.handlers.batch.misbehaving import SECRET, Deed

MEGABYTE = 1_000_000
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux's kernel")

Do = Callable[..., object]


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", f"/{SECRET}")
    with Processes(misbehaving, Memory(400 * MEGABYTE, 250 * MEGABYTE)) as started:
        yield started


@pytest.fixture
def do(processes: Processes, tmp_path: Path) -> Do:
    """Let the process of a document do a deed, and give what it says; `DocumentError` when it was ended."""
    document = tmp_path / "a.txt"
    document.write_text("words")

    def do(deed: str, argument: str = "", seconds: float = 20, files: tuple[int, ...] = (), **more: object) -> object:
        task = Deed(path=str(document), seconds=seconds, deed=deed, argument=argument)
        budget = Budget(seconds)
        respond = more.get("respond", lambda request: Translated([text.upper() for text in request.texts]))
        done = Conversations(processes, 1000).hold(document, task, budget, respond, files)  # type: ignore[arg-type]
        return msgspec.msgpack.decode(done.result)

    return do


def test_a_process_works(do: Do) -> None:
    assert do("translate", "words") == "WORDS"


@on_linux
@pytest.mark.parametrize(
    "deed",
    ["connect", "connect_unix", "run_program", "fork", "write_file", "append_to_document", "remove_document", "kill"],
)
def test_what_a_process_may_not_do(do: Do, deed: str, tmp_path: Path) -> None:
    assert do(deed, str(tmp_path)) == errno.EPERM
    assert (tmp_path / "a.txt").read_text() == "words"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_process_has_no_credentials_and_no_files_of_others(do: Do) -> None:
    variables, descriptors = do("look_around")  # type: ignore[misc]
    assert not [name for name in variables if name.startswith("AWS")]
    # Standard input and output, which lead nowhere, the connection, and the one that lists the folder.
    assert len(descriptors) <= 5
    assert not do("find_in_memory", SECRET[::-1])


@on_linux
def test_a_process_cannot_look_into_the_program(do: Do) -> None:
    assert do("read_parent_environment") in (errno.EACCES, errno.EPERM)


def test_limits_cannot_be_taken_back(do: Do) -> None:
    assert do("raise_limits") in (errno.EPERM, "ValueError")


def test_memory_is_limited(do: Do) -> None:
    with pytest.raises(DocumentError, match=r"It takes more than 2[0-9]{2} MB of memory\."):
        do("take_memory", "400")
    assert do("take_memory", "50") == 50


@on_linux
def test_memory_that_python_does_not_ask_for_is_limited(do: Do) -> None:
    with pytest.raises(DocumentError, match=r"It takes more than \d+ MB of memory"):
        do("map_memory", "2000")


@on_linux
def test_all_documents_together_take_no_more_than_there_is(do: Do) -> None:
    outcomes: list[str] = []

    def take() -> None:
        try:
            outcomes.append(str(do("hold_memory", "200", seconds=6)))
        except DocumentError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome for outcome in outcomes if outcome.endswith("MB of memory.")]
    assert "200" in outcomes, "the others go on"


@pytest.mark.parametrize("deed", ["sleep", "calculate", "translate_and_sleep"])
def test_time_is_limited(do: Do, deed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    with pytest.raises(DocumentError, match=r"It takes longer than the time limit of 0\.5 seconds\."):
        do(deed, "", seconds=0.5)
    assert time.monotonic() - started < 20


@on_linux
def test_a_result_is_limited(do: Do, tmp_path: Path) -> None:
    with (tmp_path / "new").open("w+b") as file:
        with pytest.raises(DocumentError, match="Its translation is too large"):
            do("write_much", "200", files=(file.fileno(),))
        file.seek(0)
        assert do("write_much", "1", files=(file.fileno(),)) == 1


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("segfault", r"the program that reads it crashed \(SIGSEGV\)"),
        ("abort", r"the program that reads it crashed \((SIGABRT|SIGSEGV)\)"),
        ("exit", r"the program that reads it crashed \(exit code 3\)"),
        ("fail", "internal error \\(KeyError\\)"),
        ("refuse", "It is not good."),
        ("lie", "its process sent what it may not send"),
        ("send_too_much", "its process sent what it may not send"),
        ("send_without_consent", "its process sent what it may not send"),
        ("recurse", "internal error|crashed"),
    ],
)
def test_how_a_process_ends_is_told(do: Do, deed: str, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        do(deed)
    assert do("translate", "words") == "WORDS", "the next document is none the worse"


def test_too_many_characters_are_refused(do: Do) -> None:
    with pytest.raises(DocumentError, match=r"It has 1,001 characters of text; at most 1,000 are allowed\."):
        do("count", "1001")
    assert do("count", "1000") == "Go"
    assert do("estimate", "1001") == "CountExactly"


def test_a_service_that_refuses_ends_the_process(do: Do) -> None:
    def refuse(_: object) -> object:
        raise DocumentError("refused")

    with pytest.raises(DocumentError, match="refused"):
        do("translate", "words", respond=refuse)


def test_only_one_document_has_the_room(processes: Processes, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    conversations = Conversations(processes, 1000)
    order: list[str] = []

    def respond(request: object) -> Translated:
        assert isinstance(request, Translate)
        order.append(request.texts[0])
        time.sleep(0.3)
        order.append(request.texts[0])
        return Translated(request.texts)

    def do(name: str) -> None:
        task = Deed(path="", seconds=20, deed="take_room", argument=name)
        budget = Budget(20)
        conversations.hold(tmp_path / "a.txt", task, budget, respond)

    with ThreadPoolExecutor() as threads:
        list(threads.map(do, "abc"))
    assert order[::2] == order[1::2], "no two at the same time"
    assert sorted(order[::2]) == ["a", "b", "c"]


def test_a_warden_that_is_gone_is_replaced(processes: Processes, do: Do) -> None:
    assert do("translate", "words") == "WORDS"
    os.kill(processes._warden._warden.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert do("translate", "words") == "WORDS"


def test_nothing_is_left_when_the_program_stops(processes: Processes, do: Do) -> None:
    outcome: list[str] = []

    def sleep() -> None:
        try:
            do("sleep", "", seconds=60)
        except DocumentError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=sleep)
    thread.start()
    time.sleep(0.5)
    processes.stop()
    thread.join(10)
    assert outcome == [STOPPED]
    with pytest.raises(DocumentError, match=STOPPED):
        do("translate", "words")


def test_a_channel_takes_only_its_messages() -> None:
    left, right = socket.socketpair()
    ours, theirs = Channel(left, Translated), Channel[FromDocument](right, FromDocument)
    ours.send(Counted(3, True))
    assert theirs.receive() == Counted(3, True)
    ours.send(Go())
    with pytest.raises(ChannelError, match="a message that is none"):
        theirs.receive()
    left.sendall((MESSAGE_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(ChannelError, match=f"a message of {MESSAGE_BYTES + 1} bytes"):
        theirs.receive()
    ours.send(Done(1))
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    ("total", "memory"),
    [
        (500 * MEGABYTE, Memory(200 * MEGABYTE, 200 * MEGABYTE)),
        (2000 * MEGABYTE, Memory(1300 * MEGABYTE, 650 * MEGABYTE)),
        (8000 * MEGABYTE, Memory(6000 * MEGABYTE, 2000 * MEGABYTE)),
    ],
)
def test_memory_is_that_of_the_machine(total: int, memory: Memory) -> None:
    assert memory_for_documents(total) == memory
    assert memory_for_documents().together > 0


def test_a_task_is_a_message() -> None:
    assert Task("a", 1).only_count is False
    assert ctypes.sizeof(ctypes.c_void_p) == 8, "the filter of system calls is for 64 bits"
