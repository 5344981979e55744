"""Somebody in a browser without JavaScript, over the network to the real web server. Keeps every answer they get."""

import http.client
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlencode, urlsplit

import html5lib

from tests.support.html import sent, text


@dataclass(frozen=True)
class Answer:
    method: str
    path: str  # with its query, as it was asked for
    status: int
    headers: Message
    body: bytes

    @property
    def document(self):
        return html5lib.parse(self.body.decode(), namespaceHTMLElements=False)

    @property
    def is_page(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/html")

    @property
    def said(self) -> str:
        return text(self.document)


class Walker:
    """`always` is sent with every request. `answers` collects the responses, and several walkers may share it."""

    def __init__(self, site: str, answers: list[Answer], **always: str):
        self.host, self.answers, self.always = urlsplit(site).netloc, answers, always
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **query) -> Answer:
        return self.ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, data: dict, **headers) -> Answer:
        body = urlencode(data, doseq=True).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        answer = self.ask("POST", path, body, **headers)
        return self.ask("POST", answer.headers["Location"], body, **headers) if answer.status == 307 else answer

    def ask(self, method: str, path: str, body: bytes = b"", **headers) -> Answer:
        headers = {"Sec-Fetch-Site": "same-origin", "Connection": "close", **self.always, **headers}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path, body or None, headers)
            raw = connection.getresponse()
            answer = Answer(method, path, raw.status, raw.headers, raw.read())
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.answers.append(answer)
        return answer

    def press(self, page: Answer, button: str, **changes) -> Answer:
        """Sends the form that has this button, with everything in it, and follows to the next page."""
        found = []
        for form in page.document.iter("form"):
            for each in form.iter():
                submits = (each.tag == "button" and each.get("type") == "submit") or each.get("type") == "submit"
                if submits and button in (said := text(each) or each.get("value", "")):
                    found.append((said != button, form, each))
        for _, form, each in sorted(found, key=lambda one: one[0]):  # prefer the button with exactly these words
            own = {each.get("name"): each.get("value", "")} if each.get("name") else {}
            address = each.get("formaction") or form.get("action") or page.path
            return self.follow(self.post(address, sent(form) | own | changes))
        raise AssertionError(f"No button says “{button}” on {page.path} ({page.status}): {page.said[:800]}")

    def follow(self, answer: Answer) -> Answer:
        while answer.status in {301, 302, 303}:
            answer = self.get(answer.headers["Location"])
        return answer
