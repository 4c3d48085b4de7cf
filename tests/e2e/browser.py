"""A person's browser, as far as forms and cookies go: requests plus the CSRF
token of the page. Redirects are followed by path only, because nginx hands the
host on without its port."""

import html
import re
from urllib.parse import parse_qs, urljoin, urlparse

import requests


class Browser:
    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.headers["Accept"] = "text/html,application/xhtml+xml"
        self.session.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

    def get(self, target):
        return self._land(self.session.get(urljoin(self.url, target), allow_redirects=False, timeout=30))

    def submit(self, page, target, fields):
        """Posts a form of `page`: its own hidden fields, then ours."""
        inputs = re.findall(r'<input type="hidden" name="([^"]+)"(?: id="[^"]*")?(?: value="([^"]*)")?', page)
        data = {html.unescape(name): html.unescape(value) for name, value in inputs if value}
        data["authenticity_token"] = re.search(r'name="authenticity_token" value="([^"]+)"', page).group(1)
        data.update(fields)
        return self._land(self.session.post(urljoin(self.url, target), data=data, allow_redirects=False, timeout=30))

    def _land(self, answer):
        self.landed = urlparse(answer.url)
        while answer.status_code in (301, 302, 303):
            there = urlparse(answer.headers["Location"])
            self.landed = there
            target = there.path + ("?" + there.query if there.query else "")
            answer = self.session.get(urljoin(self.url, target), allow_redirects=False, timeout=30)
        if answer.status_code != 200:
            raise AssertionError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}")
        return answer.text

    def sign_up(self, name, email, password):
        page = self.get("/auth/sign_up")
        self.submit(page, "/auth", {
            "user[account_attributes][username]": name, "user[email]": email, "user[password]": password,
            "user[password_confirmation]": password, "user[agreement]": "1", "user[website]": "", "user[confirm_password]": "",
        })
        assert self.landed.path == "/auth/setup", f"the sign-up landed at {self.landed.path}"

    def authorise(self, url):
        """Says yes to an app and returns the code shown."""
        there = urlparse(url)
        page = self.get(f"{there.path}?{there.query}")
        if self.landed.path.startswith("/oauth/authorize/native"):
            return parse_qs(self.landed.query)["code"][0]
        self.submit(page, "/oauth/authorize", {})
        assert self.landed.path == "/oauth/authorize/native", f"no code but {self.landed.path}"
        return parse_qs(self.landed.query)["code"][0]


def confirm(rails, email):
    """What the link in the mail would do, asked of Rails itself."""
    answer = requests.post(f"{rails}/__confirm", params={"email": email}, timeout=30)
    assert answer.status_code == 200, answer.text
