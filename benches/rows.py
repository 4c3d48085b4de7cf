"""The rows of the comparison: one function each, a table or more from each."""

import peers
import rows_here
from rows_here import verdict
from stage import Stage

NGINX, SAME, BARE, GATE = "nginx, only forwarding", "nginx, asked the same", "bare hyper, per core", "tuskgate"
START = {
    NGINX: "nginx -p . -c nginx-only.conf",
    SAME: "nginx -p . -c nginx-same.conf",
    BARE: f"bare_hyper 127.0.0.1:{peers.PORT} 127.0.0.1:{peers.UPSTREAM}",
    GATE: "tuskgate serve --config tuskgate.toml",
    "HAProxy, asked the same": "haproxy -db -f haproxy.cfg",
    "Caddy, clearing the same headers": "caddy run --adapter caddyfile --config Caddyfile",
}


def forwarded(stage: Stage, requests: int = 2000, **kind) -> list[dict]:
    stage.write(**kind)
    found = stage.counted([(name, command, "page") for name, command in START.items()], requests=requests)
    same, only, gate = found[SAME]["each"], found[NGINX]["each"], found[GATE]["each"]
    body = [["", "instructions a request", "× nginx, only forwarding", "× nginx, asked the same"]]
    body += [[name, run["each"], run["each"] / only, run["each"] / same] for name, run in found.items()]
    said = verdict("tuskgate to nginx asked the same", gate / same, 0.95, 0.85)
    said += "  \n" + verdict("tuskgate to nginx only forwarding", gate / only, 1.10, 1.0)
    title = "A request of 15 headers, a reply of 1 KiB, 32 kept connections, one worker; 100,000 banned networks looked up."
    return [{"title": title, "rows": body, "verdict": said, "found": {n: r["each"] for n, r in found.items()}}]


def passing(stage: Stage) -> list[dict]:
    """Pass-through"""
    return forwarded(stage)


def fresh(stage: Stage) -> list[dict]:
    """Pass-through without upstream keep-alive"""
    tables = forwarded(stage, requests=2000, keep=False)
    tables[0]["title"] += " The upstream closes after each reply. Shown, not judged."
    tables[0].pop("verdict")
    return tables


def refused(stage: Stage) -> list[dict]:
    """A refused `POST /oauth/token`"""
    stage.write()
    learn = f"load 127.0.0.1:{peers.PORT} app.req --connections 1 --requests 1 >/dev/null"
    asked = "tuskgate, app-cluster only observing: every budget is asked"
    default = "tuskgate, the default configuration: app-cluster refuses"
    cases = [
        ("HAProxy, req.body_param and a stick table", START["HAProxy, asked the same"], "token-flood"),
        (asked, START[GATE], "token-flood"),
        (default, START[GATE].replace("tuskgate.toml", "tuskgate-default.toml"), "token-flood"),
        ("tuskgate, app-cluster only observing, each from a network of its own", START[GATE], "token"),
        ("nginx, limit_req on a query key", "nginx -p . -c nginx-limit.conf", "token-query"),
        ("bare hyper, a fixed 429", START[BARE] + " 429", "token-flood"),
    ]
    # So many before, that the flood has its rows and further ones are merged.
    # What is written later counts, too.
    found = stage.counted(cases, before=learn, warm=1500, settle=1500)
    peer = found[cases[0][0]]["each"]
    body = [["", "instructions a request", "× HAProxy", "answers"]]
    for name, run in found.items():
        body.append([name, run["each"], run["each"] / peer, ", ".join(run["answered"])])
    title = (
        "A form body of 130 bytes, its app known, its budget spent. The clients have addresses of their own in 64"
        " networks (/24), and the events of the flood are merged into ten rows for each; from 5,000 networks every"
        " refusal is a row in SQLite.\n\n"
        "By default the rule `app-cluster` condemns the app of such a flood after its 15th token and refuses the"
        " rest before any budget is asked. The row that is judged lets that rule only observe, so that a refusal"
        " does all the work there is: that rule's, and every budget's. It is not what a default gate does."
    )
    said = verdict("tuskgate with every budget asked, to HAProxy", found[asked]["each"] / peer, 1.5, 1.1)
    said += f"  \nBy default: {found[default]['each'] / peer:.2f}, not judged."
    return [{"title": title, "rows": body, "verdict": said, "found": {n: r["each"] for n, r in found.items()}}]


def workers(stage: Stage) -> list[dict]:
    """Two workers"""
    each = {}
    for count in (1, 2):
        stage.write(workers=count)
        cases = [(GATE, START[GATE], "page"), (NGINX, START[NGINX], "page")]
        found = stage.counted(cases, rounds=1)
        each[count] = {name: run["each"] for name, run in found.items()}
    body = [["", "one worker", "two workers", "ratio"]]
    body += [[name, each[1][name], each[2][name], each[2][name] / each[1][name]] for name in (GATE, NGINX)]
    said = verdict("two workers to one", each[2][GATE] / each[1][GATE], 1.05, 1.0)
    return [{"title": "Instructions a request, pass-through as above.", "rows": body, "verdict": said}]


# They count work, which does not depend on what else the machine does: so they run beside each other.
COUNTED = ("sizes", "pass", "fresh", "refuse", "workers")

ROWS = {
    "pass": passing,
    "refuse": refused,
    "allowed": rows_here.allowed,
    "lists": rows_here.lists,
    "reload": rows_here.reload,
    "limiter": rows_here.limiter,
    "idle": rows_here.idle,
    "workers": workers,
    "fresh": fresh,
    "growth": rows_here.growth,
    "sizes": rows_here.sizes,
}

GROUPS = {
    "counts": list(COUNTED),
    "times": ["allowed", "lists", "reload", "limiter", "idle", "growth"],
}
