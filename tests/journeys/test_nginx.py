"""A token through nginx as the example has it: TLS, kept connections, and no query in any log."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.helpers.server import serving
from tests.house.documents import ROOT

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
NAME = "login.example.com"

pytestmark = pytest.mark.skipif(NGINX is None, reason="There is no nginx (on Debian: apt-get install nginx-light).")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def write_certificate(folder: Path) -> None:
    """A certificate for the example's name, by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{NAME}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kept = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{NAME}.key").write_bytes(kept)


@contextmanager
def nginx(folder: Path, port: int, behind: int) -> Iterator[None]:
    """nginx with the example, whose addresses and folders are exchanged and nothing else."""
    write_certificate(folder)
    example = (ROOT / "deploy/nginx.conf").read_text()
    for there, here in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("127.0.0.1:8080", f"127.0.0.1:{behind}"),
        ("/etc/ssl/", f"{folder}/"),
        ("/var/log/nginx/", f"{folder}/"),
    ):
        assert there in example
        example = example.replace(there, here)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/start.log; events {{}}\n"
        "http {\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"{example}}}\n"
    )
    assert NGINX is not None
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
    looked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert looked.returncode == 0, looked.stderr
    assert "warn" not in looked.stderr
    process = subprocess.Popen(command)
    try:
        until = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (folder / "start.log").read_text()
            assert time.monotonic() < until, "nginx does not listen"
            time.sleep(0.01)
        yield
    finally:
        process.terminate()
        process.wait(30)


def test_a_token_through_nginx_and_no_query_in_any_log(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "data", GRANTWAY_TRUSTED_PROXIES="127.0.0.1") as server:
        made = server.cli("clients", "create", "--name", "Machine", "--scope", "a", "--create-scopes")
        folder = tmp_path / "nginx"
        folder.mkdir()
        folder.chmod(0o755)
        with nginx(folder, port, server.port):
            trusted = ssl.create_default_context(cafile=folder / f"{NAME}.pem")
            call = http.client.HTTPSConnection(NAME, port, context=trusted, timeout=30)
            call._create_connection = lambda address, *rest: socket.create_connection(("127.0.0.1", port))  # type: ignore[attr-defined]
            fields = (
                f"grant_type=client_credentials&client_id={made['client_id']}&client_secret={made['client_secret']}"
            )
            with closing(call):
                call.request(
                    "POST", "/token?state=SECRET", fields, {"content-type": "application/x-www-form-urlencoded"}
                )
                with call.getresponse() as answer:
                    assert answer.status == 200
                    assert json.load(answer)["access_token"]
                    assert answer.getheader("strict-transport-security")
                    request_id = answer.getheader("x-request-id")
                call.request(
                    "POST", "/v4/oauth/access-token?client_secret=SECRET", b"", {"x-request-id": "chosen-by-me"}
                )
                with call.getresponse() as refused:
                    assert refused.status == 422
                    assert refused.getheader("x-request-id") != "chosen-by-me"
        lines = (folder / "grantway.log").read_text().splitlines()
        assert [line.split('"')[1] for line in lines] == ["POST /token", "POST /v4/oauth/access-token"]
        # One id leads through both logs.
        assert request_id is not None
        assert lines[0].endswith(request_id)
        assert request_id in server.log()
    assert not [path for path in folder.glob("*.log") if "SECRET" in path.read_text()]
    assert "SECRET" not in server.log()
