"""A real OpenSSH server on loopback, for tests, with keys of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@dataclass(frozen=True)
class Sshd:
    """A running server.

    :param host_key: its public key, as ``host_key`` of a connection's extra wants it.
    :param user_key: private key of the user it lets in.
    :param other_key: a private key it does not know.
    """

    port: int
    user: str
    host_key: str
    user_key: Path
    other_key: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it: at once, for unshare waits for its child whatever it is told; the child dies with it."""
        self.process.kill()
        self.process.wait(10)


def can_hide() -> bool:
    """Whether ``start(own=...)`` works here: a container without the rights to mount cannot."""
    return (
        subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"], check=False).returncode == 0
    )


def start(folder: Path, address: str = "127.0.0.1", own: Path | None = None) -> Sshd:
    """Start it and wait until it listens.

    :param own: a folder that this server alone shall see, empty at first: then it is as another host, which shows
        its own processes only, on the same network. What it started ends with it. Needs root.
    :raises RuntimeError: there is no sshd on this machine.
    """
    if not Path(SSHD).exists():
        raise RuntimeError("this test needs OpenSSH's server. Debian, Ubuntu: apt-get install openssh-server")
    keys = {name: folder / name for name in ("host", "user", "other")}
    for path in keys.values():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    port = _free_port()
    config = folder / "sshd_config"
    # SHLVL: bash, started by sshd, would else read the ~/.bashrc of whoever runs the tests, which may take its time.
    config.write_text(f"""
        Port {port}
        ListenAddress {address}
        HostKey {keys["host"]}
        PidFile none
        AuthorizedKeysFile {folder / "authorized"}
        PermitRootLogin prohibit-password
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        UsePAM no
        StrictModes no
        SetEnv SHLVL=5
        Subsystem sftp internal-sftp
    """)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # its privilege separation wants it
    # Absolute paths: sshd restarts itself for each connection. Its session is its own, as a daemon's is.
    command = [SSHD, "-D", "-f", str(config), "-E", str(folder / "log")]
    if own:
        own.mkdir(parents=True, exist_ok=True)
        hidden = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = [*hidden, "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(own), *command]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            break
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise RuntimeError(f"sshd did not start: {(folder / 'log').read_text()}") from None
            time.sleep(0.05)
    kind, key = (folder / "host.pub").read_text().split()[:2]
    return Sshd(port, getpass.getuser(), f"{kind} {key}", keys["user"], keys["other"], process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
