"""The rows that need this machine itself: times, memory, connections."""

import json
import os
import re
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import peers
import plot
from stage import Stage, resident

GATE = "tuskgate serve --config tuskgate.toml"
NGINX = "nginx -p . -c nginx-only.conf"
UPSTREAM = "nginx -p . -c upstream.conf"
OPEN_LIMITS = "".join(
    f'{limit} = "1000000/1h"\n'
    for limit in (
        "sign-up-per-network", "sign-up-per-wide-network", "sign-up-per-app", "sign-up-per-name",
        "sign-up-per-mail-domain", "sign-up-per-mail-server", "sign-up-total",
        "token-per-network", "token-per-wide-network", "token-per-app", "token-per-name", "token-total",
        "app-per-name", "look-up-per-network",
    )
)  # fmt: skip


# What would condemn the one app and the one mail server of all these sign-ups still works, and only observes.
OPEN_MODES = "".join(f'[rules.{rule}]\nmode = "observe"\n' for rule in ("app-cluster", "mail-cluster", "wave"))


def verdict(text: str, value: float, bar: float, goal: float, unit: str = "") -> str:
    word = "goal met" if value <= goal else "bar met, goal missed" if value <= bar else "BAR MISSED"
    return f"{text}: {value:.2f}{unit} (bar {bar}{unit}, goal {goal}{unit}): {word}."


def open_gate(stage: Stage, lists: str = 'networks = ["networks.list"]', workers: int = 1) -> None:
    """A gate whose budgets nothing here can spend."""
    text = peers.tuskgate(stage.folder, workers, lists, OPEN_MODES) + "[limits]\n" + OPEN_LIMITS
    port = stage.folder / "names.port"
    if port.exists():
        text = text.replace("127.0.0.1:9053", f"127.0.0.1:{port.read_text()}")
    (stage.folder / "tuskgate.toml").write_text(text)


def learn(stage: Stage) -> None:
    """The app and its token become known, as in life."""
    for request in ("app", "token"):
        stage.ask(f"{request}.req", "--connections=1", "--requests=1")


def allowed(stage: Stage) -> list[dict]:
    """An allowed `POST /oauth/token` and `POST /api/v1/accounts` at 2,000/s"""
    stage.write()
    runs, seconds = (1, 3) if stage.quick else (stage.runs, 10)
    found: dict[tuple[str, str], list[dict]] = {}
    with stage.running("names", 9053), stage.running(UPSTREAM, peers.UPSTREAM):
        open_gate(stage)
        for round_ in range(runs):
            for name, command in (("nginx, forwarding", NGINX), ("tuskgate", GATE)):
                for request in ("token", "account"):
                    with stage.running(command, peers.PORT):
                        learn(stage)
                        stage.ask(f"{request}.req", "--requests=500", "--from=90000000")
                        words = ["--rate=2000", f"--seconds={seconds}", "--connections=64"]
                        run = stage.ask(f"{request}.req", *words, f"--from={round_ * 1_000_000}")
                        found.setdefault((name, request), []).append(run)
    body = [["", "p50 µs", "p99 µs, median", "p99 µs of each run", "answers"]]
    middle = {}
    for (name, request), each in found.items():
        middle[name, request] = statistics.median(run["p99"] for run in each)
        spread = " ".join(str(run["p99"]) for run in each)
        answers = ", ".join(sorted({status for run in each for status in run["answered"]}))
        p50 = int(statistics.median(run["p50"] for run in each))
        body.append([f"{name}, {request}", p50, int(middle[name, request]), spread, answers])
    said = [
        verdict(f"p99 of {request}", middle["tuskgate", request] / middle["nginx, forwarding", request], 2.0, 1.3)
        for request in ("token", "account")
    ]
    title = f"Open loop, {runs} runs of {seconds} s in turn, the mail server's look-up cached, 64 connections. Budgets nobody can spend; app-cluster, mail-cluster and wave only observe, for all of it comes through one app and one mail server."
    return [{"title": title, "rows": body, "verdict": "  \n".join(said)}]


def big_lists(stage: Stage, count: int) -> str:
    nets, names = stage.folder / f"nets-{count}", stage.folder / f"names-{count}"
    if not nets.exists():
        nets.write_text("\n".join(peers.networks(count)) + "\n")
        names.write_text("\n".join(peers.domains(count)) + "\n")
    return f'networks = ["{nets.name}"]\nmail-domains = ["{names.name}"]'


def lists(stage: Stage) -> list[dict]:
    """A million networks and a million domains"""
    stage.write()
    count = 100_000 if stage.quick else 1_000_000
    named = big_lists(stage, count)
    plain = (stage.folder / f"nets-{count}").read_text().split()
    (stage.folder / "networks.geo").write_text("".join(f"{net} 1;\n" for net in plain))
    hap = (stage.folder / "haproxy.cfg").read_text()
    more = f"acl banned src -f nets-{count}\n    acl listed req.hdr(x-domain) -m dom -f names-{count}\n    http-request deny if listed"
    (stage.folder / "haproxy.cfg").write_text(hap.replace("acl banned src -f networks.txt", more))
    body = [["", "start, s", "of which the lists, s", "memory, MB", "of which the lists, MB"]]
    found = {}
    cases = [
        ("nginx geo, the networks only", "nginx -p . -c nginx-same.conf", NGINX),
        ("HAProxy, both", "haproxy -db -f haproxy.cfg", None),
        ("tuskgate, both", GATE, None),
    ]
    with stage.running(UPSTREAM, peers.UPSTREAM):
        for name, command, _ in cases:
            open_gate(stage, "")
            bare = measure_start(stage, NGINX if "nginx" in name else GATE) if "HAProxy" not in name else (0, 0)
            open_gate(stage, named)
            took, memory = measure_start(stage, command)
            found[name] = (took, memory, took - bare[0], memory - bare[1])
            of_lists = (took - bare[0], (memory - bare[1]) / 1e6) if bare[1] else ("–", "–")
            body.append([name, took, of_lists[0], memory / 1e6, of_lists[1]])
    counts = {}
    for path in ("network", "domain"):
        counts[path] = stage.counted_path(path, 100_000, count)
    looks = [["look-up in tuskgate's lists", "instructions"], *[[path, round(c)] for path, c in counts.items()]]
    gate, peer = found["tuskgate, both"], found["HAProxy, both"]
    said = [
        verdict("start to HAProxy's", gate[0] / peer[0], 0.5, 0.25),
        verdict("memory of the lists, MB", gate[3] / 1e6, 100, 40),
        *[verdict(f"{path} look-up, instructions", c, 600, 300) for path, c in counts.items()],
    ]
    title = f"{count:,} networks and {count:,} domains; best of three starts; memory 3 s later. User instructions of a look-up by callgrind."
    return [{"title": title, "rows": body}, {"title": "", "rows": looks, "verdict": "  \n".join(said)}]


def measure_start(stage: Stage, command: str) -> tuple[float, int]:
    """The best of three starts, and what is held once the start is over."""
    took = []
    for _ in range(3):
        with stage.running(command, peers.PORT) as process:
            took.append(process.took)
            time.sleep(3)
            memory = resident(process.pid)
    return min(took), memory


def reload(stage: Stage) -> list[dict]:
    """Ten reloads of those lists in 60 s at 2,000/s"""
    stage.write()
    count, seconds, every = (100_000, 12, 4) if stage.quick else (1_000_000, 60, 6)
    open_gate(stage, big_lists(stage, count))
    with stage.running(UPSTREAM, peers.UPSTREAM), stage.running(GATE, peers.PORT) as process:
        stage.ask("page.req", "--requests=2000")
        words = [stage.load, f"127.0.0.1:{peers.PORT}", "page.req", "--rate=2000", f"--seconds={seconds}", "--by-second"]
        load = subprocess.Popen(words, cwd=stage.folder, stdout=subprocess.PIPE, text=True)
        began, reloads = time.monotonic(), []
        while time.monotonic() - began < seconds - every / 2:
            time.sleep(every / 2)
            reloads.append(int(time.monotonic() - began))
            process.send_signal(1)
            time.sleep(every / 2)
        run = json.loads(load.communicate()[0])
    each = run["seconds_p999"]
    during = {second for at in reloads for second in (at, at + 1)}
    with_ = [value for second, value in enumerate(each) if second in during]
    without = [value for second, value in enumerate(each) if second not in during]
    a, b = statistics.median(with_), statistics.median(without)
    body = [["", "seconds", "p99.9 µs, median"], ["with a reload", len(with_), int(a)], ["without", len(without), int(b)]]
    said = verdict("with a reload to without", a / b, 2.0, 1.2)
    said += f"  \n{len(reloads)} reloads, {sum(run['answered'].values()):,} answered, {run['failed']} failed."
    return [{"title": f"{count:,} networks and {count:,} domains.", "rows": body, "verdict": said}]


def idle(stage: Stage) -> list[dict]:
    """10,000 idle keep-alive connections"""
    stage.write()
    count = 1000 if stage.quick else 10_000
    body = [["", "before, MB", "held, MB", "KiB each", "after, MB", "given back", "after to before"]]
    found = {}
    cases = [("nginx", NGINX), ("HAProxy", "haproxy -db -f haproxy.cfg"), ("tuskgate", GATE)]
    with stage.running(UPSTREAM, peers.UPSTREAM):
        for name, command in cases:
            with stage.running(command, peers.PORT) as process:
                # Twice, so that what the first ones make a process allocate for good is not counted.
                hold(stage, 200)
                time.sleep(5)
                before = resident(process.pid)
                during = hold(stage, count, lambda: resident(process.pid))
                time.sleep(10)
                after = resident(process.pid)
            each, back = (during - before) / count / 1024, (during - after) / max(during - before, 1)
            found[name] = (each, back, after / before)
            body.append([name, before / 1e6, during / 1e6, each, after / 1e6, f"{back:.0%}", after / before])
    said = verdict("KiB each", found["tuskgate"][0], 24, 8)
    said += f"  \nGiven back after close: {found['tuskgate'][1]:.0%} of what they took (bar 90 %): "
    said += "bar met." if found["tuskgate"][1] >= 0.9 else "BAR MISSED."
    said += f"  \nMemory after the close to memory before: {found['tuskgate'][2]:.2f} (bar 1.1): "
    said += "bar met." if found["tuskgate"][2] <= 1.1 else "BAR MISSED."
    title = f"{count:,} connections that have asked once; 5 s later; 10 s after their close."
    return [{"title": title, "rows": body, "verdict": said}]


def hold(stage: Stage, count: int, look=lambda: 0) -> int:
    words = [stage.load, f"127.0.0.1:{peers.PORT}", "page.req", "--hold", f"--connections={count}"]
    load = subprocess.Popen(words, cwd=stage.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    load.stdout.readline()
    time.sleep(5)
    seen = look()
    load.communicate("")
    return seen


def growth(stage: Stage) -> list[dict]:
    """Growth with connections"""
    stage.write()
    sizes = (1, 10, 100, 1000) if stage.quick else (1, 10, 100, 1000, 10_000)
    body = [["connections", "requests/s", "CPU µs a request", "memory, MB", "failed"]]
    with stage.running(UPSTREAM, peers.UPSTREAM):
        for size in sizes:
            with stage.running(GATE, peers.PORT) as process:
                words = [f"--connections={size}", f"--requests={max(40_000, 4 * size)}", f"--watch={process.pid}"]
                run = stage.ask("page.req", *words)
                total = sum(run["answered"].values())
                rate = round(total / run["seconds"])
                body.append([size, rate, run["ran_each"] / 1000, resident(process.pid) / 1e6, run["failed"]])
    plot.draw("connections", body, "connections", [(1, "requests/s"), (3, "memory, MB")])
    return [{"title": "![connections](connections.svg)\n\nPass-through as above.", "rows": body}]


def sizes(stage: Stage) -> list[dict]:
    """Growth with lists and keys"""
    body = [["size", "network look-up", "domain look-up", "limiter, six keys"]]
    ends = (1000, 100_000) if stage.quick else (1000, 10_000, 100_000, 1_000_000, 10_000_000)
    paths = ("network", "domain", "limiter")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        each = {(path, size): pool.submit(stage.counted_path, path, 20_000, size) for size in reversed(ends) for path in paths}
        for size in ends:
            body.append([size, *(round(each[path, size].result()) for path in paths)])
    plot.draw("sizes", body, "entries or keys", [(1, "network look-up"), (2, "domain look-up"), (3, "limiter, six keys")])
    title = "![sizes](sizes.svg)\n\nEvery key has been charged before, as far as there is room."
    few, many = body[1][3], body[-1][3]
    said = f"Six keys among {ends[-1]:,} to six among {ends[0]:,}: {many / few:.2f}. What that is of a whole request stands under the limiter."
    return [{"title": title, "rows": body, "verdict": said}]


def limiter(stage: Stage) -> list[dict]:
    """Ten million distinct keys at the limiter"""
    stage.write()
    body = [["", "ns a reservation of six keys", "memory of the table, MB", "fell back to the wider key"]]
    found = {}
    for size in (1000, 10_000_000):
        said = subprocess.run([stage.counts, "limiter-time", "3000000", str(size)], capture_output=True, text=True, check=True)
        nanos, memory, fell = map(int, re.findall(r"\d+", said.stdout))
        found[size] = nanos
        body.append([f"{size:,} keys", nanos, memory / 1e6, fell])
    # What a refused request takes in all on this machine, so that the limiter's share has a whole.
    with stage.running(UPSTREAM, peers.UPSTREAM), stage.running(GATE, peers.PORT) as process:
        stage.ask("app.req", "--connections=1", "--requests=1")
        run = stage.ask("token.req", "--warm=2000", "--requests=20000", f"--watch={process.pid}")
    whole = run["ran_each"]
    ratio = (whole - found[1000] + found[10_000_000]) / whole
    said = f"A refused request takes {whole / 1000:.1f} µs of CPU in all.  \n"
    said += verdict("a request among 10,000,000 keys to one among 1,000", ratio, 1.2, 1.2)
    return [{"title": "A table of 2²⁰ slots, 32 MiB, as by default; that keys in use keep their budget is a test (store::limiter::tests).", "rows": body, "verdict": said}]
