"""Tokens of who is signed in: a file for each API, in a folder that only its owner may look into."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cli.ui.errors import CliError
from cli.ui.json_input import decode_json

STATE_VARIABLE = "XDG_STATE_HOME"
# A local deployment is gone when it ends, and so are its tokens.
LOCAL_HOST = "127.0.0.1"
LOCAL_KEPT_S = 24 * 3600


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What signing in has brought.

    Attributes
    ----------
    api_url : str
        The API that they are for.
    access_token : str
        What each request carries.
    expires_at : float, optional
        When the access token ends, in seconds since 1970; None when that is not known.
    refresh_token : str
        Brings the next access token; empty when there is none.
    client : str
        The Cognito client that gave them.
    email : str
        Who signed in.
    """

    api_url: str
    access_token: str
    expires_at: float | None = None
    refresh_token: str = ""
    client: str = ""
    email: str = ""

    def lasts(self, seconds: float) -> bool:
        """Tell whether the access token is valid for some time to come."""
        return self.expires_at is None or self.expires_at - time.time() > seconds


class TokenStore:
    """The tokens for an API, on disk.

    Parameters
    ----------
    api_url : str
        The API.
    """

    def __init__(self, api_url: str):
        self._api_url = api_url
        host = urlsplit(api_url).hostname or "api"
        self.path = state_folder() / f"{host}-{hashlib.sha256(api_url.encode()).hexdigest()[:16]}.json"

    def load(self) -> Tokens | None:
        """Read the tokens; None when nobody is signed in.

        Raises
        ------
        CliError
            When the file cannot be read.
        """
        try:
            tokens = decode_json(self.path.read_bytes(), type=Tokens)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CliError(f"Cannot read the tokens in {self.path}: {error.strerror}.") from None
        except msgspec.MsgspecError:  # signing in writes it anew
            return None
        return tokens if tokens.api_url == self._api_url else None

    def save(self, tokens: Tokens) -> None:
        """Write the tokens: other processes find the old file or the new one, and nobody else may read either.

        Raises
        ------
        CliError
            When the file cannot be written.
        """
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            descriptor, unfinished = tempfile.mkstemp(dir=folder)  # with mode 0600
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(msgspec.json.encode(tokens))
                Path(unfinished).replace(self.path)
            except BaseException:
                Path(unfinished).unlink(missing_ok=True)
                raise
            self._remove_old(folder)
        except OSError as error:
            raise CliError(
                f"Cannot keep the tokens in {folder}: {error.strerror}. "
                f"Set {STATE_VARIABLE} to a folder that you may write to, or give a token by NLP_TOKEN."
            ) from None

    def forget(self) -> None:
        """Remove the tokens.

        Raises
        ------
        CliError
            When the file cannot be removed.
        """
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise CliError(f"Cannot remove the tokens in {self.path}: {error.strerror}.") from None

    def _remove_old(self, folder: Path) -> None:
        for other in folder.glob(f"{LOCAL_HOST}-*.json"):
            with suppress(OSError):  # another process was faster
                if other != self.path and time.time() - other.stat().st_mtime > LOCAL_KEPT_S:
                    other.unlink()


def state_folder() -> Path:
    """Return the folder of the tokens, below the user's folder for state (XDG Base Directory Specification)."""
    chosen = Path(os.environ.get(STATE_VARIABLE) or "")
    # The specification has relative paths ignored.
    base = chosen if chosen.is_absolute() else Path.home() / ".local" / "state"
    return base / "cloud-nlp" / "tokens"
