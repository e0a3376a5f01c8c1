#!/usr/bin/env python3
"""leave.py PORTS_ENV: POP3 clients that leave mail on the server, against one mail host.

poplib, curl, mpop and getmail, over STLS and implicit TLS (getmail: implicit TLS), certificates checked. Each run of a client is a session of
its own: the first fetches all and leaves it there, the second finds nothing new, the third fetches what has come since, the last one deletes. After each
the maildrop is looked at: its unique-ids, and that they have not changed. Every octet is compared; files in a Maildir have LF. What a client
puts in front of a message is allowed for. PORTS_ENV as in foreign.py. One line for each client; exit status 0 only if all is well.
"""

import os
import pwd
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from foreign import HOST, WAIT, Host, empty, python_appends, same, samples


class Client:
    """One that is configured in a folder and keeps its state there."""

    ways = (False, True)

    def __init__(self, host, implicit, folder):
        self.host, self.implicit, self.folder = host, implicit, Path(folder)
        self.port = host.ports["POP3S" if implicit else "POP3"]

    def fetch(self, delete):
        """What is new, as the client delivers it; with `delete` the maildrop is empty afterwards."""
        raise NotImplementedError


class Poplib(Client):
    name = "poplib"
    known = frozenset()

    def fetch(self, delete):
        link = self.host.pop3(self.implicit)
        ids = dict(line.split() for line in link.uidl()[1])
        got = [b"".join(line + b"\r\n" for line in link.retr(int(number))[1]) for number, ident in ids.items() if ident not in self.known]
        for number in ids if delete else ():
            link.dele(int(number))
        link.quit()
        self.known = frozenset(ids.values())
        return got


class Curl(Client):
    name = "curl"
    known = frozenset()

    def fetch(self, delete):
        scheme = "pop3s" if self.implicit else "pop3"
        ids = dict(line.split() for line in self.host.curl_ok(scheme, "", "--request", "UIDL").splitlines() if line)
        numbers = [number.decode() for number, ident in ids.items() if ident not in self.known]
        got = []
        if numbers:
            # All in one process: one connection.
            self.host.curl_ok(scheme, "{" + ",".join(numbers) + "}", "--output", str(self.folder / "#1"))
            got = [(self.folder / number).read_bytes() for number in numbers]
        if delete and ids:
            self.host.curl_ok(scheme, f"[1-{len(ids)}]", "--request", "DELE", "--head")
        self.known = frozenset(ids.values())
        return got


class Delivering(Client):
    """A program that delivers into a Maildir, run by an ordinary user."""

    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.maildir, self.seen = self.folder / "maildir", set()
        for name in ("cur", "new", "tmp"):
            (self.maildir / name).mkdir(parents=True)

    def command(self, delete, ca, password):
        """Writes the configuration; gives the command."""
        raise NotImplementedError

    def run(self, delete=False, ca=None, password=None):
        command = self.command(delete, ca or self.host.ca, password or self.host.password)
        if self.account:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, self.account.pw_uid, self.account.pw_gid)
        options = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []} if self.account else {}
        return subprocess.run(command, **options, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=WAIT,
                              env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8"})

    def delivered(self):
        new = sorted(path for path in self.maildir.glob("*/*") if path not in self.seen)
        self.seen.update(new)
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in new]

    def fetch(self, delete):
        done = self.run(delete)
        assert done.returncode == 0, f"{self.name}: exit status {done.returncode}: {done.stdout.decode(errors='replace')}"
        return self.delivered()

    def refusals(self, other_ca):
        """An authority that did not sign, and a wrong password: nothing is fetched, and it says why."""
        for what, words, options in (("certificate", r"certificate|CERTIFICATE", {"ca": other_ca}),
                                     ("password", r"(?i)auth|credential|password", {"password": "wrong"})):
            said = self.run(**options).stdout.decode(errors="replace")
            assert re.search(words, said) and not self.delivered(), f"{self.name}, {what}: {said}"


class Mpop(Delivering):
    name = "mpop"

    def command(self, delete, ca, password):
        rc = self.folder / "mpoprc"
        rc.write_text("\n".join([
            "account default", f"host {HOST}", f"port {self.port}", f"timeout {WAIT}", f"user {self.host.user}", f"password {password}",
            "auth on", "tls on", f"tls_starttls {'off' if self.implicit else 'on'}", f"tls_trust_file {ca}",
            f"keep {'off' if delete else 'on'}", "received_header off", f"uidls_file {self.folder}/uidls",
            f"delivery maildir {self.maildir}", ""]))
        rc.chmod(0o600)
        return ["mpop", "--file", str(rc), "--quiet"]


class Getmail(Delivering):
    name = "getmail"
    ways = (True,)

    def command(self, delete, ca, password):
        rc = self.folder / "getmailrc"
        rc.write_text("\n".join([
            "[retriever]", "type = SimplePOP3SSLRetriever", f"server = {HOST}", f"port = {self.port}", f"timeout = {WAIT}",
            f"username = {self.host.user}", f"password = {password}", f"ca_certs = {ca}",
            "[destination]", "type = Maildir", f"path = {self.maildir}/", ""
            "[options]", "read_all = false", f"delete = {str(delete).lower()}", "received = false", "delivered_to = false", "verbose = 1", ""]))
        return ["getmail", "--getmaildir", str(self.folder), "--rcfile", str(rc)]


def unique_ids(host):
    """What a look at the maildrop shows, in its order."""
    link = host.pop3(True)
    ids = [line.split()[1] for line in link.uidl()[1]]
    link.quit()
    return ids


def session(client, wanted, delete=False):
    """One run: exactly the wanted messages, in any order."""
    got, missing = client.fetch(delete), dict(wanted)
    for octets in got:
        name = next((name for name, (ident, _) in missing.items() if ident.encode() in octets), None)
        assert name, f"{client.name}: a message is none of those wanted, or came twice: {octets[:200]!r}"
        same(octets, missing.pop(name)[1], f"{client.name}, {name}", True)
    assert not missing, f"{client.name}: {', '.join(missing)} not fetched"


def leaves_and_deletes(host, client):
    def put(messages):
        python_appends(host, True, messages)
        return messages

    empty(host)
    made = list(samples().items())
    session(client, put(dict(made[:3])))
    first = unique_ids(host)
    assert len(first) == 3, f"{client.name}: {len(first)} of 3 messages are left"
    session(client, {})
    session(client, put(dict(made[3:])))
    both = unique_ids(host)
    assert len(both) == len(made) and both[:3] == first, f"{client.name}: {both} after {first}"
    session(client, put({name: samples()[name] for name in ("dots", "utf8")}), delete=True)
    left = unique_ids(host)
    assert not left, f"{client.name}: {len(left)} messages are left"
    session(client, {}, delete=True)
    return len(made) + 2


def another_authority(folder):
    path = Path(folder, "another.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=another", "-keyout", "/dev/null", "-out", str(path)], check=True, capture_output=True, timeout=WAIT)
    return str(path)


def main():
    host = Host(sys.argv[1])
    for kind in (Poplib, Curl, Mpop, Getmail):
        for implicit in kind.ways:
            with tempfile.TemporaryDirectory() as folder:
                begun = time.monotonic()
                client = kind(host, implicit, folder)
                count = leaves_and_deletes(host, client)
                if isinstance(client, Delivering):
                    python_appends(host, True, samples())
                    client.refusals(another_authority(folder))
                    empty(host)
                print(f"ok {client.name}, {'implicit TLS' if implicit else 'STLS'}: {count} messages left on the server, "
                      f"fetched once, deleted, {time.monotonic() - begun:.1f} s", flush=True)


main()
