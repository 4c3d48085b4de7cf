"""An emulated machine whose clock counts instructions.

QEMU's `-icount shift=0` lets one nanosecond pass for each instruction, so the
guest scheduler's own run time of a task (`/proc/PID/schedstat`) is the number
of instructions that the task executed, in user mode and in the kernel. A loop
of 200,000,000 instructions reads 199,987,843 there. It needs no performance
counters (most virtual machines have none), is the same on every computer, and
does not care who else is using the cores.

Everything runs under SCHED_BATCH: with one core a woken task would otherwise
preempt its waker at once, which with several cores it does not.

What it leaves out: caches, branches and pipelines. It counts work, not time.
"""

import itertools
import os
import re
import subprocess
from pathlib import Path

NUMBER = itertools.count()
CACHE = Path(os.environ.get("BENCH_CACHE", "/tmp/tuskgate-bench"))
KERNEL_PACKAGE = "linux-image-cloud-amd64"

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
exec >/dev/ttyS0 2>&1 </dev/null
ip link set lo up
ulimit -n 65536
export PATH=/bin:/usr/bin:/usr/sbin HOME=/tmp
chrt -b 0 sh /job
echo "machine: over"
poweroff -f
"""


def kernel() -> Path:
    """A stock Debian kernel, fetched but not installed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    found = sorted(CACHE.glob("kernel/boot/vmlinuz-*"))
    if not found:
        shown = subprocess.run(["apt-cache", "depends", KERNEL_PACKAGE], check=True, capture_output=True, text=True)
        package = re.search(r"Depends: (linux-image-\S+)", shown.stdout).group(1)
        subprocess.run(["apt-get", "download", package], cwd=CACHE, check=True, stdout=subprocess.DEVNULL)
        deb = next(CACHE.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg", "-x", deb, CACHE / "kernel"], check=True)
        found = sorted(CACHE.glob("kernel/boot/vmlinuz-*"))
    return found[-1]


def kernel_version() -> str:
    return kernel().name.removeprefix("vmlinuz-")


def boot(job: str, programs: list[str], files: dict[str, Path], memory: int = 3072, limit: int = 1800) -> str:
    """Runs `job` (a shell script) in a fresh machine; what it printed.

    `programs` are taken from this system with the libraries they need;
    `files` are paths inside the machine and what to put there.
    """
    which = f"{os.getpid()}-{next(NUMBER)}"
    root = CACHE / f"root-{which}"
    subprocess.run(["rm", "-rf", root], check=True)
    for folder in ("bin", "dev", "proc", "sys", "tmp", "run", "var/log/nginx", "var/lib/nginx", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0::/tmp:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    (root / "job").write_text(job)
    put(root, "/bin/busybox", Path("/bin/busybox"))
    for program in ["/usr/bin/chrt", *programs]:
        path = Path(program)
        put(root, f"/bin/{path.name}", path)
        for library in libraries(path):
            put(root, str(library), library)
    for inside, outside in files.items():
        put(root, inside, outside)
    image = CACHE / f"image-{which}"
    with image.open("wb") as out:
        names = subprocess.Popen(["find", "."], cwd=root, stdout=subprocess.PIPE)
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, stdin=names.stdout, stdout=out, check=True)
    subprocess.run(["rm", "-rf", root], check=True)
    console = CACHE / f"console-{which}"
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", str(memory)]
    command += ["-icount", "shift=0,sleep=off,align=off", "-display", "none", "-no-reboot", "-monitor", "none"]
    command += ["-serial", f"file:{console}", "-net", "none", "-kernel", str(kernel()), "-initrd", str(image)]
    command += ["-append", "console=ttyS0 quiet mitigations=off tsc=reliable random.trust_cpu=on"]
    try:
        subprocess.run(command, check=True, timeout=limit, stdout=subprocess.DEVNULL)
        said = console.read_text(errors="replace")
    finally:
        image.unlink(missing_ok=True)
        console.unlink(missing_ok=True)
    if "machine: over" not in said:
        raise SystemExit(f"the emulated machine did not finish:\n{said[-4000:]}")
    return said


def put(root: Path, inside: str, outside: Path) -> None:
    into = root / inside.lstrip("/")
    into.parent.mkdir(parents=True, exist_ok=True)
    if not into.exists():
        subprocess.run(["cp", "-L", outside, into], check=True)


def libraries(program: Path) -> list[Path]:
    """What the dynamic linker would load for it."""
    shown = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return [Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", shown, re.M)]
