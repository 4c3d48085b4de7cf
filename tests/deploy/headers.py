"""What arrives behind the shipped nginx files, from a client that lies.

Starts nginx with both files and an upstream that records heads, all on
loopback and free ports; only the gate's address in the upstream file is
replaced.
"""

import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

LIES = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "gopher",
    "Forwarded": "for=203.0.113.9",
    "Client-IP": "203.0.113.9",
    "X-Real-IP": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Scheme": "https",
    "X-Forwarded-Ssl": "on",
    "Proxy": "http://evil.example",
    "X_Forwarded_For": "203.0.113.9",
    "X_Forwarded_Proto": "https",
}


def listen():
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    return server, server.getsockname()[1]


def head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            break
        data += more
    return data.decode("latin-1")


def record(server, seen):
    """Answers two requests on one connection, which nginx must keep."""
    connection, _ = server.accept()
    connection.settimeout(20)
    for _ in range(2):
        seen.append(head(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def ask(port, lines):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall("\r\n".join(["GET /x HTTP/1.1", "Host: mastodon.test", *lines, "Connection: close", "", ""]).encode())
        assert " 200 " in head(client)


def configure(shipped, work, gate):
    for name in ("tuskgate-upstream.conf", "tuskgate-proxy.conf"):
        text = (shipped / name).read_text()
        (work / name).write_text(text.replace("127.0.0.1:3080", f"127.0.0.1:{gate}"))
    free, port = listen()
    free.close()
    (work / "nginx.conf").write_text(
        f"daemon off; pid {work}/pid; error_log {work}/error.log; events {{}}\n"
        f"http {{ access_log off; include {work}/tuskgate-upstream.conf;\n"
        + "".join(f"{kind}_temp_path {work}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + f"server {{ listen 127.0.0.1:{port}; location / {{ include {work}/tuskgate-proxy.conf; }} }} }}\n"
    )
    return port


def wait_for(port, process):
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
            continue
    raise SystemExit("nginx did not start")


def main():
    shipped = pathlib.Path(sys.argv[1])
    upstream, gate = listen()
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        port = configure(shipped, work, gate)
        recorder = threading.Thread(target=record, args=(upstream, seen), daemon=True)
        recorder.start()
        nginx = subprocess.Popen(["nginx", "-p", folder, "-c", work / "nginx.conf"], stderr=subprocess.DEVNULL)
        try:
            wait_for(port, nginx)
            ask(port, [f"{name}: {value}" for name, value in LIES.items()])
            ask(port, [])
            recorder.join(20)
        finally:
            nginx.terminate()
            nginx.wait(20)
    assert len(seen) == 2, "both requests came over one connection"
    lied, plain = ({line.partition(": ")[0].lower(): line.partition(": ")[2] for line in text.split("\r\n")[1:] if line} for text in seen)
    assert lied == plain, f"a client's headers change what arrives: {lied} {plain}"
    assert plain == {"host": "mastodon.test", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http"}, plain
    print("ok: what arrives behind nginx")


main()
