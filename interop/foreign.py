#!/usr/bin/env python3
"""foreign.py PORTS_ENV: curl and Python's own clients against one mail host, over STARTTLS and implicit TLS.

PORTS_ENV names the ports (SMTP, SMTPS, IMAP, IMAPS, POP3, POP3S), the certificate authority (CA) and one user (USER, PASS) whose
mail for USER@DOMAIN (default mail.test) reaches the mailbox that IMAP and POP3 show. Each leg carries every sample message and
compares it octet by octet; what a server puts in front of a submitted message (Received, Return-Path) is allowed for. Each kind of client
must also refuse the certificate when it does not trust the authority. One line a leg; exit status 0 only if all is well.
"""

import base64
import imaplib
import poplib
import re
import smtplib
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOST = "localhost"
WAIT = 30  # seconds, for a delivery and for a socket


def samples():
    """Octets that a careless hop would change, each with From, Date and Message-ID: name -> (message id, message)."""
    attachment = bytes((i * 31 + (i >> 8) * 17) & 0xFF for i in range(64 * 1024)) * 32
    lines = re.findall(b".{1,76}", base64.b64encode(attachment))
    bodies = {
        "dots": b"\r\n.\r\n..\r\n.dot\r\n..dots\r\n.\r\n",
        "utf8": "Subject: gr\u00fc\u00dfe\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                "z\u00e4h, \u65e5\u672c\u8a9e, \U0001f4ec\r\n".encode(),
        "long-line": b"\r\n" + b"x" * 998 + b"\r\nend\r\n",
        "empty-body": b"\r\n",
        "attachment": b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n"
                      b"--=_b\r\nContent-Type: text/plain\r\n\r\n.see attached\r\n"
                      b"--=_b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                      + b"\r\n".join(lines) + b"\r\n--=_b--\r\n",
    }
    made = {}
    for name, body in bodies.items():
        ident = f"<{name}.{time.time_ns()}@mail.test>"
        head = f"From: alice@mail.test\r\nTo: alice@mail.test\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: {ident}\r\n"
        made[name] = (ident, head.encode() + body)
    return made


def same(got, want, where, submitted):
    """As it was, or, when submitted, behind header fields that a server added."""
    prefix = got[: len(got) - len(want)] if submitted else b""
    ok = got == prefix + want and re.fullmatch(rb"(?:[!-9;-~]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*", prefix)
    if not ok:
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
        raise AssertionError(f"{where}: {len(got)} octets for {len(want)}, first difference at {at}: {got[at:at + 40]!r}")


def until(what, probe):
    """Polls until the probe gives something."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: nothing after {WAIT} s")


class Host:
    def __init__(self, path):
        env = dict(line.split("=", 1) for line in Path(path).read_text().splitlines() if "=" in line)
        self.ports = {key: int(env[key]) for key in ("SMTP", "SMTPS", "IMAP", "IMAPS", "POP3", "POP3S")}
        self.ca, self.user, self.password = env["CA"], env["USER"], env["PASS"]
        self.address = self.user if "@" in self.user else f"{self.user}@{env.get('DOMAIN', 'mail.test')}"
        self.trusting = ssl.create_default_context(cafile=self.ca)
        self.distrusting = ssl.create_default_context()

    # Python's clients, logged in.

    def smtp(self, implicit, context=None):
        context = context or self.trusting
        if implicit:
            link = smtplib.SMTP_SSL(HOST, self.ports["SMTPS"], context=context, timeout=WAIT)
        else:
            link = smtplib.SMTP(HOST, self.ports["SMTP"], timeout=WAIT)
            link.starttls(context=context)
        link.login(self.user, self.password)
        return link

    def imap(self, implicit, context=None):
        context = context or self.trusting
        if implicit:
            link = imaplib.IMAP4_SSL(HOST, self.ports["IMAPS"], ssl_context=context, timeout=WAIT)
        else:
            link = imaplib.IMAP4(HOST, self.ports["IMAP"], timeout=WAIT)
            link.starttls(context)
        if implicit:
            plain = f"\0{self.user}\0{self.password}".encode()
            link.authenticate("PLAIN", lambda _: plain)
        else:
            link.login(self.user, self.password)
        return link

    def pop3(self, implicit, context=None):
        context = context or self.trusting
        if implicit:
            link = poplib.POP3_SSL(HOST, self.ports["POP3S"], context=context, timeout=WAIT)
        else:
            link = poplib.POP3(HOST, self.ports["POP3"], timeout=WAIT)
            link.stls(context)
        link.user(self.user)
        link.pass_(self.password)
        return link

    def curl(self, scheme, path, *options, ca=True, stdin=None):
        """scheme smtp, imap, pop3: with STARTTLS, which is required; with an s at the end: implicit."""
        command = ["curl", "-sS", "-4", "--max-time", str(WAIT), "--ssl-reqd", "--user", f"{self.user}:{self.password}"]
        command += ["--cacert", self.ca] if ca else []
        command += [*options, f"{scheme}://{HOST}:{self.ports[scheme.upper()]}/{path}"]
        return subprocess.run(command, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                              capture_output=True, timeout=WAIT + 10)

    def curl_ok(self, *arguments, **options):
        done = self.curl(*arguments, **options)
        if done.returncode:
            raise AssertionError(f"curl {arguments[:2]}: exit status {done.returncode}: {done.stderr.decode(errors='replace')}")
        return done.stdout


def empty(host):
    """Both kinds of client begin with an empty mailbox, so that message numbers are known."""
    link = host.imap(True)
    link.select("INBOX")
    link.store("1:*", "+FLAGS.SILENT", "(\\Deleted)") if link.search(None, "ALL")[1][0] else None
    link.expunge()
    link.logout()


def found(link, ident):
    """The number of the message with this Message-ID, in the selected mailbox."""
    link.noop()
    status, data = link.search(None, "HEADER", "Message-ID", f'"{ident}"')
    assert status == "OK", data
    return data[0].split()[-1].decode() if data[0] else None


def python_imap_fetches(host, implicit, wanted, submitted):
    link = host.imap(implicit)
    assert link.select("INBOX")[0] == "OK"
    for name, (ident, message) in wanted.items():
        number = until(f"IMAP, {name}", lambda: found(link, ident))
        status, data = link.fetch(number, "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[])")
        assert status == "OK", data
        same(data[0][1], message, f"imaplib, {name}", submitted)
        size = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(p if isinstance(p, bytes) else p[0] for p in data))
        assert size and int(size[1]) == len(data[0][1]), f"imaplib, {name}: RFC822.SIZE {size}"
        status, part = link.fetch(number, "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)] BODY.PEEK[TEXT]<0.10>)")
        assert status == "OK" and ident.encode() in part[0][1], part
        assert part[1][1] == message.split(b"\r\n\r\n", 1)[1][:10], part
    link.logout()


def python_pop3_drains(host, implicit, wanted, submitted):
    """Downloads all, deletes all, and sees in a second session that they are gone."""
    link = host.pop3(implicit)
    count, size = link.stat()
    assert count == len(wanted), f"poplib: {count} messages for {len(wanted)}"
    sizes = {int(n): int(s) for n, s in (line.split() for line in link.list()[1])}
    assert len(sizes) == len(link.uidl()[1]) == count and sum(sizes.values()) == size
    missing = dict(wanted)
    for number in range(1, count + 1):
        got = b"".join(line + b"\r\n" for line in link.retr(number)[1])
        assert len(got) == sizes[number], f"poplib: {len(got)} octets, listed as {sizes[number]}"
        name = next((n for n, (ident, _) in missing.items() if ident.encode() in got), None)
        assert name, f"poplib: message {number} is none of ours, or came twice"
        same(got, missing.pop(name)[1], f"poplib, {name}", submitted)
        head = b"".join(line + b"\r\n" for line in link.top(number, 0)[1])
        assert got.startswith(head.rstrip(b"\r\n")), f"poplib, {name}: TOP differs"
        link.dele(number)
    link.quit()
    link = host.pop3(implicit)
    assert link.stat()[0] == 0, "poplib: messages are back after QUIT"
    link.quit()


def python_submits(host, implicit, wanted):
    link = host.smtp(implicit)
    for ident, message in wanted.values():
        options = ["BODY=8BITMIME"] if link.has_extn("8bitmime") else []
        refused = link.sendmail(host.address, [host.address], message, options)
        assert not refused, refused
    link.quit()


def python_appends(host, implicit, wanted):
    link = host.imap(implicit)
    for ident, message in wanted.values():
        status, data = link.append("INBOX", "(\\Seen)", '"21-Nov-2026 10:00:00 +0000"', message)
        assert status == "OK", data
    link.logout()


def curl_submits(host, implicit, wanted):
    mails = ["--mail-from", host.address, "--mail-rcpt", host.address, "--upload-file", "-"]
    for name, (ident, message) in wanted.items():
        host.curl_ok("smtps" if implicit else "smtp", "client.example", *mails, stdin=message)


def curl_appends(host, implicit, wanted):
    with tempfile.TemporaryDirectory() as folder:
        for name, (ident, message) in wanted.items():
            # The literal is announced, so the size must be known: a file, not a pipe.
            path = Path(folder, name)
            path.write_bytes(message)
            host.curl_ok("imaps" if implicit else "imap", "INBOX", "--upload-file", str(path))


def curl_imap_fetches(host, implicit, wanted, submitted):
    scheme = "imaps" if implicit else "imap"
    for name, (ident, message) in wanted.items():
        def search():
            said = host.curl_ok(scheme, "INBOX", "--request", f'UID SEARCH HEADER Message-ID "{ident}"')
            # Of this one line: a message that arrives meanwhile is told in the next, `* 5 EXISTS`.
            return re.search(rb"\* SEARCH([ 0-9]*)", said)[1].split()
        uid = until(f"curl {scheme}, {name}", search)[-1].decode()
        same(host.curl_ok(scheme, f"INBOX;UID={uid}"), message, f"curl {scheme}, {name}", submitted)
    assert b"INBOX" in host.curl_ok(scheme, "").upper(), "curl: no INBOX in LIST"


def curl_pop3_drains(host, implicit, wanted, submitted):
    scheme = "pop3s" if implicit else "pop3"
    listed = host.curl_ok(scheme, "").split(b"\r\n")
    numbers = [line.split()[0].decode() for line in listed if line]
    assert len(numbers) == len(wanted), f"curl {scheme}: {len(numbers)} messages for {len(wanted)}"
    missing = dict(wanted)
    for number in numbers:
        got = host.curl_ok(scheme, number)
        name = next((n for n, (ident, _) in missing.items() if ident.encode() in got), None)
        assert name, f"curl {scheme}: message {number} is none of ours, or came twice"
        same(got, missing.pop(name)[1], f"curl {scheme}, {name}", submitted)
    # The highest first, so that the numbers of the others stay: each run of curl is a session of its own.
    for number in reversed(numbers):
        host.curl_ok(scheme, number, "--request", "DELE", "--head")
    assert not host.curl_ok(scheme, "").strip(), f"curl {scheme}: messages are back after QUIT"


def refusals(host):
    """Without our authority no client goes on; with it, a wrong password gets in nowhere."""
    for scheme in ("smtp", "smtps", "imap", "imaps", "pop3", "pop3s"):
        status = host.curl(scheme, "", ca=False).returncode
        assert status == 60, f"curl {scheme} without the authority: exit status {status}, 60 is expected"
    for client in (host.smtp, host.imap, host.pop3):
        for implicit in (False, True):
            try:
                client(implicit, host.distrusting)
            except ssl.SSLCertVerificationError:
                continue
            raise AssertionError(f"{client.__name__}: a certificate of an unknown authority was taken")
    right, host.password = host.password, "not-" + host.password
    try:
        for client in (host.smtp, host.imap, host.pop3):
            try:
                client(True)
            except (smtplib.SMTPAuthenticationError, imaplib.IMAP4.error, poplib.error_proto):
                continue
            raise AssertionError(f"{client.__name__}: a wrong password was taken")
    finally:
        host.password = right


LEGS = [
    ("python", python_submits, True, python_imap_fetches, python_pop3_drains),
    ("python", python_appends, False, python_imap_fetches, python_pop3_drains),
    ("curl", curl_submits, True, curl_imap_fetches, curl_pop3_drains),
    ("curl", curl_appends, False, curl_imap_fetches, curl_pop3_drains),
]


def main():
    host = Host(sys.argv[1])
    for client, into, submitted, fetch, drain in LEGS:
        for implicit in (False, True):
            begun = time.monotonic()
            empty(host)
            wanted = samples()
            into(host, implicit, wanted)
            fetch(host, implicit, wanted, submitted)
            drain(host, implicit, wanted, submitted)
            octets = sum(len(message) for _, message in wanted.values())
            print(f"ok {into.__name__}, IMAP, POP3, {'implicit TLS' if implicit else 'STARTTLS'}: "
                  f"{len(wanted)} messages, {octets} octets, {time.monotonic() - begun:.1f} s", flush=True)
    refusals(host)
    print("ok unknown authority and wrong password refused")


if __name__ == "__main__":
    main()
