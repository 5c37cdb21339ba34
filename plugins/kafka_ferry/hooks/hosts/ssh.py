"""A host over SSH: Airflow's own hook makes the connection, scripts go through a shell, files through SFTP."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property

from airflow.sdk.log import mask_secret

from kafka_ferry.compat import AirflowException
from kafka_ferry.core.redaction import redact_text
from kafka_ferry.exceptions import BadConnection, TransientError
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.hosts.host import Output
from kafka_ferry.hooks.hosts.shell import SHELL, parent, shell_path

with brought_by("hosts"):
    import paramiko
    from airflow.providers.ssh.hooks.ssh import SSHHook

_CONNECT_TIMEOUT = 10  # seconds; without one in its extra the hook would wait as long as TCP does
_SFTP_TIMEOUT = 60  # seconds without a byte


class SshHost:
    """The host of an Airflow connection of type ``ssh``.

    Its key is checked as the connection says: against ``host_key`` in its extra, else against ``known_hosts`` of the
    user Airflow runs as; an unknown key is refused.

    :param conn_id: Airflow connection id.
    """

    def __init__(self, conn_id: str) -> None:
        self.conn_id = conn_id

    @cached_property
    def _hook(self) -> SSHHook:
        secrets: set[str] = set()
        try:
            connection = SSHHook.get_connection(self.conn_id)
            extra = connection.extra_dejson
            secrets = {
                value
                for value in (connection.password, extra.get("private_key"), extra.get("private_key_passphrase"))
                if value
            }
            for secret in secrets:
                mask_secret(secret)
            # One attempt: the task's own retries come with back-off, and do not repeat a login that was refused.
            hook = SSHHook(ssh_conn_id=self.conn_id, conn_retry_attempts=1)
        except (AirflowException, ValueError, TypeError, OSError, paramiko.SSHException) as error:
            raise BadConnection(f"connection {self.conn_id!r}: {redact_text(str(error), secrets)}") from None
        hook.conn_timeout = hook.conn_timeout or _CONNECT_TIMEOUT
        return hook

    @property
    def name(self) -> str:
        return str(self._hook.remote_host)

    @property
    def address(self) -> str:
        return str(self._hook.remote_host)

    @property
    def _who(self) -> str:
        return f"connection {self.conn_id!r} ({self._hook.username}@{self.name}:{self._hook.port})"

    def run(self, command: str, *, timeout: float = 60) -> Output:
        deadline = time.monotonic() + timeout
        with self._client() as client:
            transport = client.get_transport()
            if transport is None:
                raise EOFError
            channel = transport.open_session(timeout=timeout)
            try:
                channel.settimeout(timeout)
                channel.exec_command(SHELL)
                channel.sendall(command.encode())
                channel.shutdown_write()
                return self._output(channel, deadline, timeout)
            finally:
                channel.close()

    def _output(self, channel: paramiko.Channel, deadline: float, timeout: float) -> Output:
        """Both streams as they come: a full window of the one that is not read would stop the script."""
        out, err = bytearray(), bytearray()
        while True:
            ended = channel.exit_status_ready()  # asked first: what came before it is read below
            while channel.recv_ready():
                out += channel.recv(65536)
            while channel.recv_stderr_ready():
                err += channel.recv_stderr(65536)
            # The script's end alone is not enough: what it wrote last may still be on its way.
            if ended and (channel.eof_received or channel.closed):
                break
            if time.monotonic() > deadline:
                raise TransientError(f"{self._who}: a script did not end within {timeout:g} s")
            time.sleep(0.01)
        while channel.recv_ready():
            out += channel.recv(65536)
        while channel.recv_stderr_ready():
            err += channel.recv_stderr(65536)
        code = channel.recv_exit_status()
        if code == -1:
            raise TransientError(f"{self._who}: the connection or the shell ended before the script did")
        return Output(code, out.decode(errors="replace"), err.decode(errors="replace"))

    def write(self, path: str, content: bytes, mode: int = 0o600) -> None:
        temporary = f"{path}.{os.urandom(4).hex()}.part"
        # Made by the shell: SFTP makes files with the server's umask, readable by others until chmod.
        folder, file = shell_path(parent(path)), shell_path(temporary)
        made = self.run(f"umask 077; mkdir -p {folder} && : >{file} && chmod {mode:o} {file}")
        if made.code:
            raise TransientError(f"{self._who}: cannot write {path}: {made.err.strip()}")
        with self._sftp(f"cannot write {path}") as sftp:
            try:
                with sftp.open(_sftp_path(temporary), "r+") as out:
                    out.set_pipelined(True)
                    out.write(content)
                sftp.posix_rename(_sftp_path(temporary), _sftp_path(path))
            except OSError:
                with suppress(OSError):
                    sftp.remove(_sftp_path(temporary))
                raise

    def read(self, path: str, *, tail_bytes: int | None = None) -> bytes | None:
        with self._sftp(f"cannot read {path}") as sftp:
            try:
                file = sftp.open(_sftp_path(path), "rb")
            except FileNotFoundError:
                return None
            with file:
                size = file.stat().st_size or 0
                start = 0 if tail_bytes is None else max(0, size - tail_bytes)
                file.seek(start)
                if tail_bytes is None:
                    file.prefetch(size)
                return bytes(file.read() if tail_bytes is None else file.read(size - start))

    def close(self) -> None:
        if "_hook" in self.__dict__ and self._hook.client is not None:
            self._hook.client.close()
            self._hook.client = None

    @contextmanager
    def _sftp(self, problem: str) -> Iterator[paramiko.SFTPClient]:
        with self._client() as client:
            sftp = client.open_sftp()
            if channel := sftp.get_channel():
                channel.settimeout(_SFTP_TIMEOUT)
            try:
                yield sftp
            except (OSError, paramiko.SFTPError) as error:
                raise TransientError(f"{self._who}: {problem}: {error}") from error
            finally:
                sftp.close()

    @contextmanager
    def _client(self) -> Iterator[paramiko.SSHClient]:
        """The open connection, or a new one; faults of the outside world as our errors."""
        hook = self._hook
        try:
            yield hook.get_conn()
        except paramiko.BadHostKeyException as error:
            raise BadConnection(
                f"{self._who}: the host key differs from the one in the connection or known_hosts. The host was "
                "reinstalled, or it is another host. Fix: check the host, then write its key into host_key of the extra"
            ) from error
        except (paramiko.AuthenticationException, FileNotFoundError) as error:
            raise BadConnection(f"{self._who}: login refused: {redact_text(str(error))}") from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            self.close()
            text = redact_text(str(error)) or type(error).__name__
            if "not found in known_hosts" in text:
                raise BadConnection(
                    f"{self._who}: the host's key is not known. Fix: write it into host_key of the connection's "
                    "extra (a line of ssh-keyscan that you have checked, without the host's name)"
                ) from error
            raise TransientError(f"{self._who}: no answer: {text}") from error


def _sftp_path(path: str) -> str:
    """SFTP begins in the home folder and knows no ``~``."""
    return path[2:] if path.startswith("~/") else path
