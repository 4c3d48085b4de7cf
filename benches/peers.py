"""The gate and those it is measured beside, each as its own configuration.

All forward to the same upstream. "Only forwarding" is what a plain
`proxy_pass` does; "asked the same" means: believe X-Forwarded-For from
loopback, look the client up in 100,000 banned networks, clear the headers
that the gate clears, make a request id, one canonical X-Forwarded-For.
"""

import random
from pathlib import Path

UPSTREAM = 9000
PORT = 9001
CLEARED = [
    "Forwarded", "Client-Ip", "X-Real-Ip", "Proxy",
    "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Scheme", "X-Forwarded-Ssl",
]  # fmt: skip


def networks(count: int) -> list[str]:
    """Distinct networks with odd second octets: the load's clients have even ones."""
    seen: dict[str, None] = {}
    rng = random.Random(count)
    while len(seen) < count:
        a, b, c = rng.randrange(1, 224), rng.randrange(128) * 2 + 1, rng.randrange(256)
        length = rng.choice((24, 24, 25, 28, 32, 32, 32))
        if a in (10, 127, 172, 192, 198, 203):
            continue
        last = rng.randrange(256) & (0xFF << (32 - length)) & 0xFF
        seen[f"{a}.{b}.{c}.{last}/{length}"] = None
    return list(seen)


def domains(count: int) -> list[str]:
    rng = random.Random(count)
    letters = "abcdefghijklmnopqrstuvwxyz"
    seen: dict[str, None] = {}
    while len(seen) < count:
        name = "".join(rng.choices(letters, k=rng.randrange(5, 14)))
        seen[f"{name}.{rng.choice(('com', 'net', 'org', 'xyz', 'top', 'club'))}"] = None
    return list(seen)


def nginx(inside: str, port: int, workers: int = 1) -> str:
    return f"""
user root;
daemon off;
worker_processes {workers};
worker_rlimit_nofile 65536;
pid /tmp/nginx-{port}.pid;
error_log stderr error;
events {{ worker_connections 30000; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    keepalive_timeout 75s;
    client_body_temp_path /tmp/nginx-{port}-body;
    proxy_temp_path /tmp/nginx-{port}-proxy;
    fastcgi_temp_path /tmp/nginx-{port}-f;
    uwsgi_temp_path /tmp/nginx-{port}-u;
    scgi_temp_path /tmp/nginx-{port}-s;
    {inside}
}}
"""


FORWARD = """
        proxy_pass http://web;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_buffering off;
"""


def web(keep: bool = True) -> str:
    kept = "keepalive 64; keepalive_requests 100000000;" if keep else ""
    return f"upstream web {{ server 127.0.0.1:{UPSTREAM}; {kept} }}"


def write(folder: Path, keep: bool = True, workers: int = 1, count: int = 100_000) -> None:
    """Every configuration into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    nets = networks(count)
    (folder / "networks.txt").write_text("\n".join(nets) + "\n")
    (folder / "networks.list").write_text("".join(f"{net} scope=all\n" for net in nets))
    (folder / "networks.geo").write_text("".join(f"{net} 1;\n" for net in nets))
    forward = FORWARD if keep else FORWARD.replace('proxy_set_header Connection "";', "")
    (folder / "upstream.conf").write_text(upstream(keep))
    (folder / "nginx-only.conf").write_text(
        nginx(f"{web(keep)} server {{ listen {PORT}; location / {{ {forward} }} }}", PORT, workers)
    )
    (folder / "nginx-same.conf").write_text(nginx(same(forward, keep, folder), PORT, workers))
    (folder / "nginx-limit.conf").write_text(nginx(limited(forward, keep), PORT, workers))
    (folder / "haproxy.cfg").write_text(haproxy(folder, keep, workers))
    (folder / "Caddyfile").write_text(caddy(keep))
    (folder / "tuskgate.toml").write_text(tuskgate(folder, workers))
    (folder / "tuskgate-default.toml").write_text(tuskgate(folder, workers, modes=""))


def upstream(keep: bool) -> str:
    app = '{"id":"1","name":"bench","website":null,"redirect_uri":"urn:ietf:wg:oauth:2.0:oob","client_id":"bench","client_secret":"secret"}'
    token = '{"access_token":"token","token_type":"Bearer","scope":"read write","created_at":1700000000}'
    return nginx(
        f"""
    default_type application/json;
    server {{
        listen {UPSTREAM} backlog=4096;
        {"" if keep else "keepalive_timeout 0;"}
        location / {{ return 200 "{"x" * 1024}"; }}
        location = /api/v1/apps {{ return 200 '{app}'; }}
        location = /oauth/token {{ return 200 '{token}'; }}
        location = /api/v1/accounts {{ return 200 '{token}'; }}
    }}""",
        UPSTREAM,
    )


def same(forward: str, keep: bool, folder: Path) -> str:
    cleared = "".join(f'proxy_set_header {name} "";' for name in CLEARED)
    return f"""
    set_real_ip_from 127.0.0.0/8;
    real_ip_header X-Forwarded-For;
    real_ip_recursive on;
    geo $banned {{ default 0; include networks.geo; }}
    {web(keep)}
    server {{
        listen {PORT} backlog=4096;
        location / {{
            if ($banned) {{ return 403; }}
            {forward}
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;
            proxy_set_header X-Request-Id $request_id;
            {cleared}
        }}
    }}"""


def limited(forward: str, keep: bool) -> str:
    return f"""
    limit_req_zone $arg_client_id zone=apps:32m rate=1r/m;
    {web(keep)}
    server {{
        listen {PORT} backlog=4096;
        location / {{ limit_req zone=apps burst=30 nodelay; limit_req_status 429; {forward} }}
    }}"""


def haproxy(folder: Path, keep: bool, workers: int) -> str:
    cleared = "".join(f"    http-request del-header {name}\n" for name in CLEARED)
    return f"""
global
    no strict-limits
    nbthread {workers}
    maxconn 30000
    log stdout format raw local0 emerg
defaults
    mode http
    timeout client 75s
    timeout http-request 10s
    timeout http-keep-alive 75s
    timeout connect 2s
    timeout server 120s
    option http-keep-alive
    {"http-reuse always" if keep else "option http-server-close"}
backend apps
    stick-table type string len 64 size 1m expire 1h store http_req_rate(1h)
frontend door
    bind 127.0.0.1:{PORT} backlog 4096
    option http-buffer-request
    acl token path /oauth/token
    http-request track-sc0 req.body_param(client_id) table apps if token METH_POST
    http-request deny deny_status 429 if token {{ sc_http_req_rate(0) gt 30 }}
    http-request set-src req.hdr(X-Forwarded-For),ipmask(32)
    acl banned src -f networks.txt
    http-request deny deny_status 403 if banned
{cleared}    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Request-Id %[uuid()]
    default_backend web
backend web
    server one 127.0.0.1:{UPSTREAM} {"pool-max-conn 64" if keep else ""}
"""


def caddy(keep: bool) -> str:
    removed = "\n        ".join(f"header_up -{name}" for name in CLEARED)
    return f"""{{
    admin off
    auto_https off
    log {{
        level ERROR
    }}
}}
http://:{PORT} {{
    reverse_proxy 127.0.0.1:{UPSTREAM} {{
        {removed}
        trusted_proxies 127.0.0.0/8
        transport http {{
            {"keepalive 75s" if keep else "keepalive off"}
            keepalive_idle_conns_per_host 64
        }}
    }}
}}
"""


# Else it refuses the flood of tokens before a budget is looked at.
BUDGETS_ASKED = """
[rules.app-cluster]
mode = "observe"
"""


def tuskgate(
    folder: Path, workers: int, lists: str = 'networks = ["networks.list"]', modes: str = BUDGETS_ASKED
) -> str:
    return f"""
[listen]
address = "127.0.0.1:{PORT}"
workers = {workers}
[upstream]
address = "127.0.0.1:{UPSTREAM}"
[admin]
address = "127.0.0.1:9300"
[store]
path = "/tmp/tuskgate-bench-store"
[dns]
servers = ["127.0.0.1:9053"]
[lists]
{lists}
[log]
level = "error"
{modes}"""


REQUESTS = {
    "page": (
        "GET /api/v1/timelines/home?limit=20 HTTP/1.1",
        [
            "Host: mastodon.example",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Accept: application/json, text/plain, */*",
            "Accept-Language: en-GB,en;q=0.7,de;q=0.3",
            "Accept-Encoding: gzip, deflate, br",
            "Authorization: Bearer 7MuBDsomeTokenOfFortyThreeCharactersInAllABC",
            "Cookie: _session_id=abcdef0123456789abcdef0123456789; _mastodon_session=c29tZXRoaW5nLWVuY3J5cHRlZA",
            "Referer: https://mastodon.example/home",
            "Connection: keep-alive",
            "Sec-Fetch-Dest: empty",
            "Sec-Fetch-Mode: cors",
            "Sec-Fetch-Site: same-origin",
            'If-None-Match: W/"2cf24dba5fb0a30e26e83b2ac5b9e29e"',
            "X-Forwarded-For: {ip}",
            "X-Forwarded-Proto: https",
        ],
        "",
    ),
    "app": (
        "POST /api/v1/apps HTTP/1.1",
        ["Host: mastodon.example", "User-Agent: bench", "Content-Type: application/x-www-form-urlencoded",
         "Content-Length: {length}", "X-Forwarded-For: {ip}", "X-Forwarded-Proto: https"],
        "client_name=bench&redirect_uris=urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob&scopes=read+write",
    ),
    "token": (
        "POST /oauth/token HTTP/1.1",
        ["Host: mastodon.example", "User-Agent: okhttp/4.12", "Accept: */*", "Accept-Encoding: gzip",
         "Content-Type: application/x-www-form-urlencoded", "Content-Length: {length}",
         "X-Forwarded-For: {ip}", "X-Forwarded-Proto: https"],
        "grant_type=client_credentials&client_id=bench&client_secret=secret&scope=read+write"
        "&redirect_uri=urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob",
    ),
    "account": (
        "POST /api/v1/accounts HTTP/1.1",
        ["Host: mastodon.example", "User-Agent: okhttp/4.12", "Accept: */*", "Accept-Encoding: gzip",
         "Authorization: Bearer token", "Content-Type: application/x-www-form-urlencoded",
         "Content-Length: {length}", "X-Forwarded-For: {ip}", "X-Forwarded-Proto: https"],
        "username=user{n}&email=user{n}%40mail.example&password=correct-horse-battery&agreement=true&locale=en",
    ),
}  # fmt: skip


def write_requests(folder: Path) -> None:
    for name, (line, headers, body) in REQUESTS.items():
        text = "\r\n".join([line, *headers, "", body])
        (folder / f"{name}.req").write_bytes(text.encode())
        if name == "token":
            near = text.replace("{ip}", "{near}")
            (folder / "token-flood.req").write_bytes(near.encode())
            # nginx' limit_req cannot read a body: it gets its key in the query.
            keyed = near.replace("/oauth/token", "/oauth/token?client_id=bench", 1)
            (folder / "token-query.req").write_bytes(keyed.encode())
