"""A mail server: TLS before anything is said, one user. Writes each mail that it takes as a line of JSON, then answers."""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

port, certificate, key, out = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]


class Taken:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with open(out, "a", encoding="utf-8") as file:
            line = {
                "id": mail["Message-ID"],
                "from": mail["From"],
                "to": envelope.rcpt_tos,
                "subject": mail["Subject"],
                "automatic": mail["Auto-Submitted"],
                "body": mail.get_content(),
                "user": session.auth_data,
                "raw": envelope.content.decode("ascii"),
            }
            file.write(json.dumps(line) + "\n")
        return "250 taken"


def known(server, session, envelope, mechanism, auth):
    good = (auth.login, auth.password) == (b"vardbro", b"s3cret-mail")
    return AuthResult(success=good, auth_data=auth.login.decode())


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


def server():
    return SMTP(Taken(), hostname="localhost", tls_context=context, require_starttls=True, authenticator=known, auth_required=True)


loop = asyncio.new_event_loop()
loop.run_until_complete(loop.create_server(server, "127.0.0.1", port))
print("ready", flush=True)
loop.run_forever()
