"""Where peers are run and measured: in the emulated machine, or here."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import machine
import peers

# What listens where: peers.PORT is the measured one.
SERVE = "nginx -p . -c {conf}"


class Stage:
    def __init__(self, repository: Path, perf: bool, quick: bool, folder: str = "conf"):
        self.repository, self.perf, self.quick = repository, perf, quick
        self.runs = 5
        self.folder = machine.CACHE / folder
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.repository / os.environ.get("CARGO_TARGET_DIR", "target")
        tools = target / "counted/examples"
        self.gate = machine.CACHE / "tuskgate"
        if folder == "conf":  # the first one; those beside it take the same
            subprocess.run(["strip", "-o", self.gate, target / "dist/tuskgate"], check=True)
        self.load, self.bare = tools / "load", target / "dist/examples/bare_hyper"
        self.counts, self.names = tools / "counted", tools / "names"
        peers.write_requests(self.folder)

    def means(self, row: str) -> str:
        if row == "sizes":
            return "user instructions by callgrind"
        if row in ("allowed", "lists", "reload", "idle", "growth", "limiter"):
            return "on this machine"
        if self.perf:
            return "instructions by `perf stat`"
        return f"instructions in an emulated machine (Linux {machine.kernel_version()}, one core, no mitigations)"

    def write(self, **kind) -> None:
        peers.write(self.folder, **kind)

    def counted(self, cases: list[tuple[str, str, str]], requests: int = 2000, warm: int = 500,
                connections: int = 32, rounds: int = 2, before: str = "", settle: int = 0) -> dict[str, dict]:  # fmt: skip
        """Instructions a request for each case (name, command, request), in turn.

        `before` is run once the peer listens: to bring it into a state. `settle`
        milliseconds are waited before each count, for what a peer puts off.
        """
        if self.quick:
            requests, rounds = 500, 1
        if self.perf:
            return self._by_perf(cases, requests, warm, connections, rounds, before, settle)
        job = "cd /conf\nnginx -p . -c upstream.conf &\n"
        for _ in range(rounds):
            for name, command, request in cases:
                job += f"""
echo 'peer: {name}'
rm -rf /tmp/tuskgate-bench-store
{command} >/tmp/out 2>&1 & P=$!
{before}
load 127.0.0.1:{peers.PORT} {request}.req --connections {connections} --warm {warm} --requests {requests} --settle {settle} --watch $P || cat /tmp/out
kill $P; wait $P 2>/dev/null; sleep 0.2
"""
        programs = {str(self.gate), str(self.bare), str(self.load), "/usr/sbin/nginx"}
        programs |= {path for name in ("haproxy", "caddy") if (path := shutil.which(name))}
        words = " ".join(command for _, command, _ in cases)
        programs = {path for path in programs if Path(path).name in words + " load nginx"}
        files = {f"/conf/{path.name}": path for path in self.folder.iterdir() if path.is_file()}
        said = machine.boot(job, sorted(programs), files)
        return self._read(said, rounds)

    def _read(self, said: str, rounds: int) -> dict[str, dict]:
        found: dict[str, list[dict]] = {}
        for name, line in re.findall(r'peer: (.*?)\r?\n(?:.*\n)*?(\{"answered".*\})\r?\n', said):
            found.setdefault(name, []).append(json.loads(line))
        out = {}
        for name, runs in found.items():
            if len(runs) != rounds or any(run["failed"] for run in runs):
                raise SystemExit(f"{name}: {runs}\n{said}")
            out[name] = runs[-1] | {"each": round(sum(run["ran_each"] for run in runs) / len(runs))}
        return out

    def _by_perf(self, cases, requests, warm, connections, rounds, before, settle) -> dict[str, dict]:
        found: dict[str, list[dict]] = {}
        with self.running(SERVE.format(conf="upstream.conf"), peers.UPSTREAM):
            for _ in range(rounds):
                for name, command, request in cases:
                    with self.running(command, peers.PORT) as process:
                        if before:
                            self.shell(before)
                        ask = [f"--connections={connections}"]
                        self.ask(f"{request}.req", f"--requests={warm}", *ask)
                        time.sleep(settle / 1000)
                        # perf counts until the command it runs has ended.
                        ask += [f"--settle={settle}", f"--watch={process.pid}"] if settle else []
                        pids = ",".join(map(str, [process.pid, *children(process.pid)]))
                        perf = ["perf", "stat", "-x,", "-e", "instructions:u,instructions:k", "-p", pids, "-o", "/tmp/perf-out", "--"]
                        run = self.ask(f"{request}.req", f"--requests={requests}", *ask, under=perf)
                        counts = re.findall(r"^(\d+),", Path("/tmp/perf-out").read_text(), re.M)
                        if len(counts) != 2:
                            raise SystemExit("perf counts no instructions on this machine; leave --perf out")
                        run["each"] = round(sum(map(int, counts)) / requests)
                        found.setdefault(name, []).append(run)
        return {name: runs[-1] | {"each": round(sum(r["each"] for r in runs) / rounds)} for name, runs in found.items()}

    def running(self, command: str, port: int):
        return Running(self, command, port)

    def path(self) -> str:
        """The tools by their names."""
        tools = machine.CACHE / "tools"
        tools.mkdir(exist_ok=True)
        for tool in (self.gate, self.bare, self.load, self.names):
            link = tools / tool.name
            link.unlink(missing_ok=True)
            link.symlink_to(tool)
        return f"{tools}:/usr/sbin:{os.environ['PATH']}"

    def counted_path(self, path: str, times: int, size: int) -> float:
        """User instructions of one step of the path of that name, by callgrind."""
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*walk_counted*"]
        command += [self.counts, path, str(times), str(size)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        return int(re.search(r"Collected : (\d+)", ran.stderr).group(1)) / times

    def shell(self, line: str) -> str:
        env = os.environ | {"PATH": self.path()}
        return subprocess.run(line, shell=True, cwd=self.folder, env=env, capture_output=True, text=True, check=True).stdout

    def ask(self, request: str, *words: str, under: list[str] = ()) -> dict:
        command = [*under, self.load, f"127.0.0.1:{peers.PORT}", request, *words]
        said = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout
        return json.loads(said.splitlines()[-1])


class Running:
    """A server on this machine for as long as the block runs."""

    def __init__(self, stage: Stage, command: str, port: int):
        self.stage, self.command, self.port = stage, command, port

    def __enter__(self) -> subprocess.Popen:
        env = os.environ | {"PATH": self.stage.path()}
        shutil.rmtree("/tmp/tuskgate-bench-store", ignore_errors=True)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            self.command.split(), cwd=self.stage.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not listening(self.port):
            if self.process.poll() is not None:
                raise SystemExit(f"{self.command}: ended with {self.process.returncode}")
            time.sleep(0.002)
        self.process.took = time.monotonic() - self.began
        return self.process

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()


def listening(port: int) -> bool:
    """Asks the kernel, so that the server notices nothing."""
    wanted = f":{port:04X} 00000000:0000 0A"
    return wanted in Path("/proc/net/tcp").read_text()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def resident(pid: int) -> int:
    """Bytes that a process and its children hold; what they share is counted once."""
    total = 0
    for each in [pid, *children(pid)]:
        text = Path(f"/proc/{each}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss_Anon:\s+(\d+) kB", text, re.M).group(1)) * 1024
    return total
