#!/usr/bin/env python3
"""Signs somebody in through the gateway's own pages, as a browser would, and prints the session
cookie as a `Cookie` field carries it.

usage: sign_in.py ORIGIN NAME PASSWORD SECRET
"""

import base64
import hashlib
import hmac
import html.parser
import http.cookiejar
import struct
import sys
import time
import urllib.parse
import urllib.request


def code(secret):
    """The code of this moment: RFC 6238, six digits, thirty seconds."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    number = struct.unpack_from(">I", mac, mac[-1] & 15)[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


class Form(html.parser.HTMLParser):
    """Where a page's form goes, and what it carries unseen."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes.get("value", "")


def main(origin, name, password, secret):
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    browser.addheaders = [("Accept", "text/html")]

    def ask(target, fields=None):
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        return browser.open(urllib.parse.urljoin(origin, target), data, timeout=20).read().decode()

    form = Form(ask("/"))
    form = Form(ask(form.action, form.fields | {"username": name, "password": password}))
    ask(form.action, form.fields | {"code": code(secret)})
    session = [f"{cookie.name}={cookie.value}" for cookie in cookies if cookie.name == "vestibule"]
    if not session:
        sys.exit("sign_in.py: no session cookie: the sign-in failed")
    print(session[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
