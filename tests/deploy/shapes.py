"""The compose overlay and the Containerfile: do their parts agree?"""

import ipaddress
import pathlib
import re
import sys
import tomllib

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"


def compose():
    try:
        import yaml
    except ImportError:
        if "--strict" in sys.argv:
            raise
        print("skip: python has no yaml")
        return
    overlay = yaml.safe_load((DEPLOY / "compose/compose.tuskgate.yml").read_text())
    config = tomllib.loads((DEPLOY / "compose/tuskgate.toml").read_text())
    gate, web = overlay["services"]["gate"], overlay["services"]["web"]
    (network,) = overlay["networks"]["gate_network"]["ipam"]["config"]
    subnet = ipaddress.ip_network(network["subnet"])
    address = gate["networks"]["gate_network"]["ipv4_address"]
    assert ipaddress.ip_address(address) in subnet
    assert ipaddress.ip_address(network["gateway"]) in subnet
    assert web["environment"]["TRUSTED_PROXY_IP"] == address
    assert config["listen"]["trusted-proxies"] == [network["gateway"]]
    assert "gate_network" in web["networks"], "the gate must reach Mastodon"
    host, _, port = config["upstream"]["address"].partition(":")
    assert host in overlay["services"] and port == "3000"
    (published,) = gate["ports"]
    assert published == "127.0.0.1:3080:" + config["listen"]["address"].rpartition(":")[2]
    assert any(mount.endswith(":" + config["store"]["path"]) for mount in gate["volumes"])
    assert gate["tmpfs"][0].startswith(str(pathlib.PurePosixPath(config["admin"]["socket"]).parent))
    assert gate["read_only"] and gate["cap_drop"] == ["ALL"]
    assert (DEPLOY.parent / gate["build"]["dockerfile"]).is_file()
    print("ok: compose")


def containerfile():
    text = (DEPLOY / "container/Containerfile").read_text().replace("\\\n", " ")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    known = {"FROM", "WORKDIR", "COPY", "ENV", "RUN", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in steps} == known, "every step is a known one, none is missing"
    last = max(i for i, (word, _) in enumerate(steps) if word == "FROM")
    assert steps[last][1] == "scratch"
    final = dict(steps[last:])
    user = final["USER"].split(":")
    assert len(user) == 2 and all(part.isdigit() and int(part) > 0 for part in user), "numeric and not root"
    assert "RUN" not in final, "there is no shell in scratch"
    assert final["ENTRYPOINT"].startswith("[") and final["CMD"].startswith("[")
    assert "+crt-static" in text and "--locked" in text
    rust = re.search(r'rust-version = "([\d.]+)"', (DEPLOY.parent / "Cargo.toml").read_text())[1]
    assert f"FROM rust:{rust}-" in text, "the compiler is the one the crate asks for"
    print("ok: Containerfile")


compose()
containerfile()
