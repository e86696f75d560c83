"""Real mail servers for tests: Dovecot (IMAP, and who may log in) and Postfix, on loopback.

Each runs from a directory of its own, as processes of this test, and ends with it. Postfix takes
mail for the controllers' domains from anybody and hands it over by LMTP; out it lets only whoever
logs in, as a relay does.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import make_certificate
from tests.support.components import free_port, unavailable

PASSWORD = "correct-horse"
HINT = "apt-get install dovecot-imapd postfix, and run the tests as root"
MAIL_HOST = "mx.test"
_MASTER = Path("/usr/lib/postfix/sbin/master")
_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "pid", "private", "public", "saved", "trace"),
)


@dataclass(frozen=True)
class Dovecot:
    port: int
    folder: Path
    tls: ssl.SSLContext

    def mails(self, user: str, mailbox: str = "INBOX") -> list[bytes]:
        """What lies in a mailbox, as the server stored it."""
        root = self.folder / "mail" / user
        place = root if mailbox == "INBOX" else root / f".{mailbox}"
        return [one.read_bytes() for sub in ("new", "cur") for one in (place / sub).glob("*")]

    def deliver(self, user: str, raw: bytes) -> None:
        """Put a mail into an inbox, as a delivery agent does."""
        inbox = self.folder / "mail" / user
        for sub in ("new", "cur", "tmp"):
            (inbox / sub).mkdir(parents=True, exist_ok=True)
        path = inbox / "tmp" / f"{time.time_ns()}.test"
        path.write_bytes(raw)
        _give(inbox)
        path.rename(inbox / "new" / path.name)


@contextmanager
def dovecot(*, introspection_url: str | None = None) -> Iterator[Dovecot]:
    """An IMAP server over TLS: any user with PASSWORD, or with a token that is introspected."""
    program = shutil.which("dovecot")
    if program is None or os.geteuid() != 0:
        unavailable("Dovecot", HINT)
    folder = Path(tempfile.mkdtemp(prefix="trettio-dovecot-"))
    folder.chmod(0o755)
    port = free_port()
    certificate = make_certificate(folder / "server.pem")
    oauth = ""
    if introspection_url is not None:
        (folder / "oauth2.conf").write_text(
            f"introspection_mode = post\nintrospection_url = {introspection_url}\n"
            "username_attribute = client_id\nactive_attribute = active\nactive_value = true\n"
        )
        oauth = (
            "passdb {\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n"
            f" args = {folder}/oauth2.conf\n}}\n"
        )
    (folder / "mail").mkdir()
    _give(folder / "mail")
    config = folder / "dovecot.conf"
    config.write_text(
        f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
mail_location = maildir:{folder}/mail/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
auth_failure_delay = 0 secs
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
 driver = static
 mechanisms = plain login
 args = password={PASSWORD}
}}
{oauth}userdb {{
 driver = static
 args = uid=nobody gid=nogroup home={folder}/mail/%u
}}
service auth {{
 unix_listener postfix {{
  mode = 0666
 }}
}}
service anvil {{
 unix_listener anvil-auth-penalty {{
  mode = 0
 }}
}}
service imap-login {{
 inet_listener imap {{
  port = 0
 }}
 inet_listener imaps {{
  port = {port}
 }}
}}
"""
    )
    process = subprocess.Popen(
        [program, "-F", "-c", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors").open("wb"),
    )
    try:
        _wait_for(port, process, "Dovecot", folder)
        yield Dovecot(port, folder, ssl.create_default_context(cafile=str(certificate)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Postfix:
    port: int
    folder: Path
    tls: ssl.SSLContext

    def said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def waiting(self) -> int:
        """How many messages are in its queues."""
        queues = (self.folder / "queue" / name for name in ("incoming", "active", "deferred"))
        return sum(1 for queue in queues for path in queue.rglob("*") if path.is_file())

    def hurry(self) -> None:
        """Try what waits now."""
        subprocess.run(
            ["postqueue", "-c", str(self.folder / "conf"), "-f"], check=False, capture_output=True
        )


@contextmanager
def postfix(
    *, lmtp_port: int, domains: tuple[str, ...], out_port: int, auth: Dovecot
) -> Iterator[Postfix]:
    """A mail server: mail for `domains` goes to our LMTP port, all other to `out_port`."""
    if not _MASTER.exists() or os.geteuid() != 0:
        unavailable("Postfix", HINT)
    folder = Path(tempfile.mkdtemp(prefix="trettio-postfix-"))
    folder.chmod(0o755)
    port = free_port()
    certificate = make_certificate(folder / "server.pem")
    owner = pwd.getpwnam("postfix")
    drop = grp.getgrnam("postdrop").gr_gid
    for name in _QUEUES:
        queue = folder / "queue" / name
        queue.mkdir(parents=True, mode=0o700)
        if name != "pid":
            os.chown(queue, owner.pw_uid, -1)
    os.chown(folder / "queue" / "public", owner.pw_uid, drop)
    (folder / "queue" / "public").chmod(0o710)
    os.chown(folder / "queue" / "maildrop", owner.pw_uid, drop)
    (folder / "queue" / "maildrop").chmod(0o730)
    for name in ("data", "conf"):
        (folder / name).mkdir(mode=0o755)
    os.chown(folder / "data", owner.pw_uid, -1)
    (folder / "conf" / "main.cf").write_text(
        f"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = {MAIL_HOST}
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
relay_domains = {", ".join(domains)}
relay_transport = lmtp:inet:127.0.0.1:{lmtp_port}
relayhost = [127.0.0.1]:{out_port}
lmtp_host_lookup = native
smtp_host_lookup = native
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth.folder}/run/postfix
smtpd_sasl_security_options = noanonymous
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = {certificate}
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
"""
    )
    (folder / "conf" / "master.cf").write_text(
        f"""
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""
    )
    process = subprocess.Popen(
        [str(_MASTER), "-c", str(folder / "conf"), "-d"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors").open("wb"),
        start_new_session=True,
    )
    try:
        _wait_for(port, process, "Postfix", folder)
        yield Postfix(port, folder, ssl.create_default_context(cafile=str(certificate)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
        shutil.rmtree(folder, ignore_errors=True)


def _give(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _wait_for(port: int, process: subprocess.Popen[bytes], name: str, folder: Path) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    told = [path.read_text(errors="replace") for path in folder.glob("log")]
    told.append((folder / "errors").read_text(errors="replace"))
    raise AssertionError(f"{name} did not start: {''.join(told)[-2_000:]}")
