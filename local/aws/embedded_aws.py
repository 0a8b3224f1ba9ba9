"""The embedded AWS: a whole AWS on this machine, in one process group that vanishes without a trace."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from local.aws.control import Control

if TYPE_CHECKING:
    import boto3

PROJECT_ROOT = Path(__file__).resolve().parents[2]
ACCOUNT_ID = "000000000000"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
LIVE_TEXT_SOURCE_URL = "https://en.wikipedia.org"

_LOOPBACK = "127.0.0.1"
_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 5.0
_LOG_TAIL_CHARACTERS = 4000
_CONNECTION_BACKLOG = 512

# The child gets only what it needs: Lambda functions run as its children and inherit its environment, and a profile,
# proxy or PYTHONPATH of the user must neither change what they do nor point them at a real AWS account.
_INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")
_INHERITED_WHEN_LIVE = ("HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class EmbeddedAwsError(RuntimeError):
    """The embedded AWS did not start; the message ends with the last lines of its log."""


class EmbeddedAws:
    """An AWS on this machine: one endpoint for all services, IAM enforced, nothing left behind when it stops.

    It runs in a child process with its own process group, temporary folder and two loopback ports (the AWS endpoint;
    the text source with the control interface). All of it goes away with `close`, and also when this process dies, in
    whatever way.

    Parameters
    ----------
    region
        Region that all resources are made in.
    text_latency
        Seconds that the built-in text source waits before each answer.
    live
        Use the real Wikipedia as text source; the built-in one keeps running but nothing points to it.
    port, control_port
        Ports of the AWS endpoint and of the text source with the control interface; 0 for any that is free.

    Attributes
    ----------
    endpoint, control_url
        Addresses of the AWS endpoint and of the control interface. Available once started.
    control
        Client of the control interface: faults, latencies, request counts, texts. Available once started.
    text_source_url
        Base address of Wikipedia's REST interface, built in or real. Available once started.
    log_path
        Log of the child process; exists until `close`.
    """

    def __init__(
        self,
        region: str = "eu-central-1",
        *,
        text_latency: float = 0.0,
        live: bool = False,
        port: int = 0,
        control_port: int = 0,
    ) -> None:
        self.region = region
        self._ports = (port, control_port)
        self.credentials = dict(CREDENTIALS)
        self._text_latency = text_latency
        self._live = live
        self._process: subprocess.Popen[bytes] | None = None
        self._session: boto3.Session | None = None
        self._clients: dict[tuple[str, int], Any] = {}
        self._clients_lock = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the child, which is also the id of its process group."""
        if self._process is None:
            raise EmbeddedAwsError("The embedded AWS is not running.")
        return self._process.pid

    def start(self) -> None:
        """Start the child and return when it answers.

        Raises
        ------
        EmbeddedAwsError
            When it is running already, a port is taken, or it does not come up; nothing is left behind then.
        """
        if self._process is not None:
            raise EmbeddedAwsError("The embedded AWS is running already.")
        port, control_port = self._ports
        # The sockets are opened here and handed to the child, so no other process can take a port in between.
        with _listening_socket(port) as gateway, _listening_socket(control_port) as control:
            self._workspace = Path(tempfile.mkdtemp(prefix="cloud-nlp-aws-"))
            self.log_path = self._workspace / "server.log"
            self._gateway_port = gateway.getsockname()[1]
            self.endpoint = f"http://{_LOOPBACK}:{self._gateway_port}"
            self.control_url = f"http://{_LOOPBACK}:{control.getsockname()[1]}"
            try:
                self._process = self._spawn(gateway, control)
            except BaseException:
                shutil.rmtree(self._workspace, ignore_errors=True)
                raise
        self.text_source_url = LIVE_TEXT_SOURCE_URL if self._live else self.control_url
        self.control = Control(self.control_url)
        try:
            self._wait_until_healthy()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the child with all its Lambda functions and remove its temporary folder; harmless when not running."""
        process, self._process = self._process, None
        if process is None:
            return
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        _signal_group(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        shutil.rmtree(self._workspace, ignore_errors=True)

    def client(self, service: str, attempts: int = 3) -> Any:
        """Return the boto3 client of a service, made once and safe to share between threads.

        Parameters
        ----------
        service
            Name as boto3 knows it, for example ``dynamodb``.
        attempts
            How often a call is tried.
        """
        with self._clients_lock:
            key = (service, attempts)
            if key not in self._clients:
                self._clients[key] = self._create_client(service, attempts)
            return self._clients[key]

    def _create_client(self, service: str, attempts: int) -> Any:
        from botocore.config import Config

        if self._session is None:
            self._session = self._create_session()
        return self._session.client(
            service,
            endpoint_url=self.endpoint,
            config=Config(
                connect_timeout=5,
                read_timeout=300,
                retries={"mode": "standard", "total_max_attempts": attempts},
                max_pool_connections=50,
                proxies={},
                s3={"addressing_style": "path"},
            ),
        )

    def _create_session(self) -> boto3.Session:
        import boto3  # imported late: half of a second that `--help` and unit tests need not wait for
        import botocore.session

        # Setting, environment variable, default, conversion: no profile and no file of the user's is ever looked at.
        variables = {
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
        return boto3.Session(
            aws_access_key_id=self.credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.credentials["AWS_SECRET_ACCESS_KEY"],
            region_name=self.region,
            botocore_session=botocore.session.Session(session_vars=variables),
        )

    def _spawn(self, gateway: socket.socket, control: socket.socket) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "local.aws.server", "--workspace", str(self._workspace)]
        command += ["--gateway-fd", str(gateway.fileno()), "--control-fd", str(control.fileno())]
        command += ["--text-latency", str(self._text_latency)]
        with self.log_path.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own module, no outside input
                command,
                cwd=PROJECT_ROOT,
                env=self._environment(),
                # Never written to: the child watches for its end, which comes when this process closes it or dies.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(gateway.fileno(), control.fileno()),
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        folder = str(self._workspace)
        names = _INHERITED + (_INHERITED_WHEN_LIVE if self._live else ())
        return {name: os.environ[name] for name in names if name in os.environ} | {
            "AUTH": "true",
            "BIND_HOST": _LOOPBACK,
            "GATEWAY_PORT": str(self._gateway_port),
            "LOG_LEVEL": "WARNING",
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_REGION": self.region,
            # Features that would open further ports, or containers.
            "DOCKER_HOST": f"unix://{folder}/no-docker",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # Everything written goes below one folder.
            "HOME": folder,
            "S3_DATA_DIR": f"{folder}/s3",
            "STATE_DIR": f"{folder}/state",
            "TMPDIR": folder,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _wait_until_healthy(self) -> None:
        # The socket listens already, so one request is enough: it waits until the child serves, or breaks when it dies.
        connection = http.client.HTTPConnection(_LOOPBACK, self._gateway_port, timeout=_START_TIMEOUT_S)
        try:
            connection.request("GET", "/_ministack/health")
            status = connection.getresponse().status
        except OSError as error:
            raise EmbeddedAwsError(self._failure(str(error) or type(error).__name__)) from error
        finally:
            connection.close()
        if status != http.client.OK:
            raise EmbeddedAwsError(self._failure(f"health answered {status}"))

    def _failure(self, reason: str) -> str:
        # A broken connection can be seen a moment before the child has written its last words.
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
        log = self.log_path.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:].strip()
        return f"The embedded AWS did not start ({reason}). Its log ends with:\n{log or '(empty)'}"


def _listening_socket(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A fixed port can be used again at once although connections of the last run are still in TIME_WAIT.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise EmbeddedAwsError(f"Port {port} of {_LOOPBACK} cannot be used: {error}.") from error
    listener.listen(_CONNECTION_BACKLOG)
    return listener


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
