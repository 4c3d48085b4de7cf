"""toot, run as its user would: registers itself, logs in with a code from the
browser and with a password, posts, reads back.

    toot_cli.py ENTRY_URL RAILS_URL DOMAIN"""

import os
import re
import subprocess
import sys
import tempfile

from browser import Browser, confirm

TOOT = os.path.join(os.path.dirname(sys.executable), "toot")
PASSWORD = "correct-horse-battery"


class Toot:
    def __init__(self, home):
        self.environment = {**os.environ, "XDG_CONFIG_HOME": home, "HOME": home, "NO_COLOR": "1"}

    def run(self, *arguments):
        done = subprocess.run([TOOT, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"toot {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def login_with_code(self, url, browser):
        """The recommended way: toot shows an address and waits for the code."""
        with subprocess.Popen([TOOT, "login", "--instance", url], env=self.environment, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            shown = ""
            for line in process.stdout:
                shown += line
                if found := re.search(r"^(http\S+/oauth/authorize\S*)\s*$", line):
                    break
            else:
                raise AssertionError(f"toot showed no address:\n{shown}")
            code = browser.authorise(found.group(1))
            rest, _ = process.communicate(f"n\n{code}\n", timeout=60)
            assert process.returncode == 0 and "Successfully logged in" in rest, shown + rest


def main(url, rails, domain):
    email = f"tess@{domain}"
    browser = Browser(url)
    browser.sign_up("tess", email, PASSWORD)
    confirm(rails, email)
    for name in ("code", "password"):
        with tempfile.TemporaryDirectory() as home:
            toot = Toot(home)
            if name == "code":
                toot.login_with_code(url, browser)
            else:
                toot.run("login_cli", "--instance", url, "--email", email, "--password", PASSWORD)
            assert "tess" in toot.run("whoami")
            toot.run("post", f"toot by {name}")
            assert f"toot by {name}" in toot.run("timelines", "public", "--no-pager", "--no-clear")


if __name__ == "__main__":
    main(*sys.argv[1:])
