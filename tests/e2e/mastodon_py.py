"""Mastodon.py goes through the chain: registers an app, signs a person up, logs
in with a password and with a code, posts, listens to a stream, uploads.

    mastodon_py.py ENTRY_URL RAILS_URL DOMAIN

RAILS_URL is used only for what a mail link would do. Ends with exit code 0, or
with the traceback of the first thing that went wrong."""

import hashlib
import io
import os
import queue
import sys

from mastodon import Mastodon, StreamListener

from browser import Browser, confirm

SCOPES = ["read", "write", "follow", "push"]
PASSWORD = "correct-horse-battery"
UPLOAD = 5 << 20


class Listener(StreamListener):
    def __init__(self):
        self.seen = queue.Queue()

    def on_update(self, status):
        self.seen.put(status["content"])


def sign_up(url, rails, domain):
    client_id, secret = Mastodon.create_app("Mastodon.py in tests", scopes=SCOPES, website="https://app.example", api_base_url=url)
    api = Mastodon(client_id=client_id, client_secret=secret, api_base_url=url, ratelimit_method="throw")
    email = f"pat@{domain}"
    token = api.create_account("pat", PASSWORD, email, agreement=True, scopes=SCOPES)
    assert token, "no token for the new account"
    assert api.app_verify_credentials()["name"] == "Mastodon.py in tests"
    none, fault = api.create_account("pat", PASSWORD, email, agreement=True, scopes=SCOPES, return_detailed_error=True)
    assert none is None and fault["details"]["email"][0]["error"] == "ERR_TAKEN", fault
    confirm(rails, email)
    return api, email


def log_in(url, api, email):
    api.log_in(username=email, password=PASSWORD, scopes=SCOPES, allow_http=True)
    assert api.account_verify_credentials()["username"] == "pat"
    browser = Browser(url)
    browser.submit(browser.get("/auth/sign_in"), "/auth/sign_in", {"user[email]": email, "user[password]": PASSWORD})
    code = browser.authorise(api.auth_request_url(scopes=SCOPES))
    api.log_in(code=code, scopes=SCOPES, allow_http=True)
    assert api.account_verify_credentials()["username"] == "pat"


def post_and_listen(api):
    listener = Listener()
    stream = api.stream_public(listener, run_async=True, timeout=30)
    # The stream may attach a little after the call returns: post until one is heard.
    for attempt in range(20):
        api.status_post(f"heard number {attempt}")
        try:
            content = listener.seen.get(timeout=1)
            break
        except queue.Empty:
            continue
    else:
        raise AssertionError("no status came down the stream")
    assert "heard number" in content, content
    stream.close()
    assert any("heard number" in status["content"] for status in api.timeline_public())
    assert any("heard number" in status["content"] for status in api.timeline_home())


def upload(api):
    body = os.urandom(UPLOAD)
    media = api.media_post(io.BytesIO(body), mime_type="image/png", file_name="noise.png")
    api.status_post("with a picture", media_ids=[media])
    print("uploaded", hashlib.sha256(body).hexdigest())


def main(url, rails, domain):
    api, email = sign_up(url, rails, domain)
    log_in(url, api, email)
    post_and_listen(api)
    upload(api)


if __name__ == "__main__":
    main(*sys.argv[1:])
