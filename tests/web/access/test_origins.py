"""Which requests the server answers: by their host, their origin, and where a browser says that they come from."""

from typing import Any

import pytest

from ltx_studio.settings import EVERYWHERE, LOOPBACK
from ltx_studio.web.access.headers import SecurityHeaders, policy
from ltx_studio.web.access.origins import Authority, Hosts, Origins
from tests.web.asgi import Answer, Headers, accept, ask, empty, in_a_thread, scope_of

HOST = "127.0.0.1:7860"
OWN = f"http://{HOST}"
EVIL = "http://evil.test"
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def answer_to(hosts: Hosts, headers: Headers, method: str = "GET", path: str = "/", **changes: Any) -> Answer:
    app = Origins(accept, hosts)
    made: Answer = in_a_thread(lambda: ask(app, scope_of(method, path, headers, **changes), empty))
    return made


@pytest.fixture
def here() -> Hosts:
    return Hosts.of_server(LOOPBACK)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7860", 200),
        ("127.0.0.1", 200),
        ("127.8.9.1:7860", 200),
        ("localhost:7860", 200),
        ("LocalHost:7860", 200),
        ("localhost.:7860", 200),
        ("[::1]:7860", 200),
        ("[::ffff:7f00:1]:7860", 200),
        ("evil.test:7860", 421),
        ("evil.test", 421),
        ("localhost.evil.test:7860", 421),
        ("127.0.0.1.evil.test:7860", 421),
        ("127.0.0.1.nip.io:7860", 421),
        ("evil.localhost:7860", 421),
        ("0.0.0.0:7860", 421),
        ("192.0.2.7:7860", 421),
        ("2130706433:7860", 421),
        ("127.1:7860", 421),
        ("0x7f.0.0.1", 421),
        ("abc.gradio.live", 421),
        ("ada-studio.hf.space", 421),
        ("[fe80::1]:7860", 421),
        ("", 400),
        ("::1", 400),
        ("[::1", 400),
        ("[localhost]", 400),
        ("localhost:", 400),
        ("localhost:x", 400),
        ("localhost:7860:7860", 400),
        ("localhost:70000", 400),
        ("localhost:٧٨", 400),
        ("ada@localhost:7860", 400),
        ("evil.test#@localhost", 400),
        ("localhost/evil", 400),
        ("localhost, evil.test", 400),
        (" localhost", 400),
        (f"{'a' * 300}.localhost", 400),
        ("localhost\x00", 400),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_only_the_hosts_of_this_machine_are_answered(host: str, status: int, method: str, here: Hosts) -> None:
    headers = [("host", host.encode().decode("latin-1"))]

    assert answer_to(here, headers, method).status == status


def test_a_refused_host_is_told_the_setting(here: Hosts) -> None:
    answer = answer_to(here, {"host": "evil.test:7860"})

    assert answer.text.startswith("The studio does not answer to the host name evil.test.")
    assert "LTX_STUDIO_ALLOWED_HOSTS" in answer.text


@pytest.mark.parametrize(
    ("headers", "changes", "status"),
    [
        ([], {}, 400),
        ([], {"http_version": "1.0"}, 200),
        ([("origin", EVIL)], {"http_version": "1.0"}, 400),
        ([("host", HOST), ("host", "evil.test")], {}, 400),
        ([("host", HOST), ("origin", OWN), ("origin", EVIL)], {}, 400),
        ([("host", HOST), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], {}, 400),
    ],
)
def test_a_header_that_is_missing_or_there_twice_is_refused(
    headers: Headers, changes: dict[str, Any], status: int, here: Hosts
) -> None:
    assert answer_to(here, headers, **changes).status == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (OWN, 200),
        ("HTTP://127.0.0.1:7860", 200),
        ("null", 403),
        ("", 403),
        (EVIL, 403),
        ("http://evil.test:7860", 403),
        ("http://127.0.0.1", 403),
        ("http://127.0.0.1:7861", 403),
        ("http://localhost:7860", 403),
        ("http://127.0.0.1:7860.evil.test", 403),
        ("http://127.0.0.1:7860@evil.test", 403),
        ("http://evil.test/127.0.0.1:7860", 403),
        ("http://127.0.0.1:7860/", 403),
        ("file://", 403),
        ("chrome-extension://abcdefgh", 403),
        ("https://huggingface.co", 403),
        ("127.0.0.1:7860", 403),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/config"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/queue/data"),
        ("POST", "/login"),
        ("OPTIONS", "/gradio_api/call/delete"),
    ],
)
def test_only_the_pages_own_origin_is_answered(origin: str, status: int, method: str, path: str, here: Hosts) -> None:
    assert answer_to(here, {"host": HOST, "origin": origin}, method, path).status == status


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://localhost", "localhost", 200),
        ("http://localhost", "localhost:80", 200),
        ("https://localhost", "localhost", 200),
        ("http://[::1]:7860", "[::1]:7860", 200),
        ("http://localhost:8080", "localhost", 403),
        ("http://[::1]:7861", "[::1]:7860", 403),
    ],
)
def test_the_port_that_a_scheme_implies_counts_as_written(origin: str, host: str, status: int, here: Hosts) -> None:
    assert answer_to(here, {"host": host, "origin": origin}).status == status


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/config", {}, 200),  # curl and gradio_client
        ("POST", "/gradio_api/upload", {}, 200),
        ("GET", "/config", {"sec-fetch-site": "same-origin"}, 200),
        ("GET", "/", {"sec-fetch-site": "none"}, 200),
        ("GET", "/", LINK, 200),
        ("HEAD", "/", LINK, 200),
        ("GET", "/", LINK | {"sec-fetch-site": "same-site"}, 200),
        ("GET", "/config", {"sec-fetch-site": "cross-site"}, 403),
        ("GET", "/config", {"sec-fetch-site": "same-site"}, 403),
        ("GET", "/config", {"sec-fetch-site": "something new"}, 403),
        ("GET", "/config", LINK, 403),
        ("GET", "/gradio_api/file=/home/ada/a.png", LINK, 403),
        ("POST", "/", LINK, 403),
        ("GET", "/", LINK | {"sec-fetch-dest": "iframe"}, 403),
        ("GET", "/", LINK | {"sec-fetch-dest": "object"}, 403),
        ("GET", "/", LINK | {"sec-fetch-mode": "no-cors"}, 403),
        ("GET", "/", LINK | {"origin": EVIL}, 403),
        ("POST", "/gradio_api/upload", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        ("POST", "/gradio_api/upload", {"sec-fetch-site": "same-origin", "origin": OWN}, 200),
        ("POST", "/gradio_api/upload", {"sec-fetch-site": "same-origin", "origin": EVIL}, 403),
        ("POST", "/gradio_api/upload", {"sec-fetch-site": "cross-site", "origin": OWN}, 403),
    ],
)
def test_a_browser_acts_for_the_page_alone_but_follows_links_to_it(
    method: str, path: str, headers: dict[str, str], status: int, here: Hosts
) -> None:
    assert answer_to(here, {"host": HOST, **headers}, method, path).status == status


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"host": HOST, "origin": OWN}, "websocket.accept"),
        ({"host": HOST}, "websocket.accept"),
        ({"host": HOST, "origin": EVIL}, "websocket.close"),
        ({"host": HOST, "origin": "null"}, "websocket.close"),
        ({"host": "evil.test:7860", "origin": "http://evil.test:7860"}, "websocket.close"),
        ({"host": HOST, **LINK}, "websocket.close"),
    ],
)
def test_websockets_are_checked_likewise(headers: dict[str, str], kind: str, here: Hosts) -> None:
    scope = {**scope_of(headers=headers), "type": "websocket"}
    del scope["method"]

    answer: Answer = in_a_thread(lambda: ask(Origins(accept, here), scope, empty))

    assert answer.messages[0]["type"] == kind


def test_a_page_for_others_answers_at_the_machines_names_and_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Studio-PC.example.org")
    monkeypatch.setattr("ltx_studio.web.access.origins.own_addresses", lambda: ["192.0.2.7"])
    hosts = Hosts.of_server(EVERYWHERE)
    served: dict[str, Any] = {"server": ("2001:db8::7", 7860)}
    good = ["localhost", "192.0.2.7", "studio-pc.example.org", "studio-pc.local", EVERYWHERE]
    bad = ["192.0.2.8", "evil.test", "studio-pc.evil.test", "example.org", "[2001:db8::8]"]

    assert {answer_to(hosts, {"host": f"{host}:7860"}).status for host in good} == {200}
    assert {answer_to(hosts, {"host": f"{host}:7860"}, **served).status for host in bad} == {421}
    assert answer_to(hosts, {"host": "[2001:DB8:0::7]:7860"}, **served).status == 200
    assert answer_to(Hosts.of_server(LOOPBACK), {"host": "studio-pc.local"}).status == 421


def test_the_named_host_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "named.example.org")

    assert answer_to(Hosts.of_server(None), {"host": "Named.example.org:7860"}).status == 200
    assert answer_to(Hosts.of_server("[2001:db8::7]"), {"host": "[2001:db8::7]:7860"}).status == 200
    assert answer_to(Hosts.of_server("other.example.org"), {"host": "named.example.org"}).status == 421


def test_a_configured_proxy_may_say_another_host_than_the_browser() -> None:
    hosts = Hosts.of_server(LOOPBACK, ["studio.example.org"])
    outside = {"origin": "https://studio.example.org", "sec-fetch-site": "same-origin"}

    assert answer_to(hosts, {"host": "studio.example.org"} | outside, "POST").status == 200
    assert answer_to(hosts, {"host": HOST} | outside, "POST").status == 200
    assert answer_to(hosts, {"host": HOST, "origin": "https://other.example.org"}, "POST").status == 403
    assert answer_to(hosts, {"host": "other.example.org"} | outside, "POST").status == 421


def test_the_host_of_gradios_tunnel_is_known_once_it_is_open() -> None:
    url: list[str] = []
    hosts = Hosts.of_server(LOOPBACK, share_url=lambda: next(iter(url), None))
    headers = {"host": "abc123.gradio.live", "origin": "https://abc123.gradio.live"}

    assert answer_to(hosts, headers).status == 421
    url.append("https://abc123.gradio.live")
    assert answer_to(hosts, headers).status == 200
    assert answer_to(hosts, {"host": "other.gradio.live"}).status == 421


def test_a_space_is_shown_by_hugging_face_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "ada/studio")
    monkeypatch.setenv("SPACE_HOST", "ada-studio.hf.space")
    hosts = Hosts.of_server(EVERYWHERE)
    host = {"host": "ada-studio.hf.space"}
    own = host | {"origin": "https://ada-studio.hf.space", "sec-fetch-site": "same-origin"}
    frame = host | LINK | {"sec-fetch-dest": "iframe"}
    hub = host | {"origin": "https://huggingface.co", "sec-fetch-site": "cross-site"}

    assert answer_to(hosts, own, "POST", "/gradio_api/queue/join").status == 200
    assert answer_to(hosts, frame).status == 200
    assert answer_to(hosts, hub, path="/config").status == 200
    assert answer_to(hosts, host | {"origin": EVIL}, "POST").status == 403
    assert answer_to(hosts, host | {"origin": "https://eve-studio.hf.space"}, "POST").status == 403
    assert answer_to(hosts, host | {"origin": "https://evilhuggingface.co"}, "POST").status == 403
    assert answer_to(hosts, frame, path="/config").status == 403
    assert answer_to(hosts, {"host": "evil.test"}).status == 421


@pytest.mark.parametrize("text", ["a.b:80", "A.B:080", "a.b.:80"])
def test_a_host_has_one_form(text: str) -> None:
    assert Authority.parse(text) == Authority("a.b", 80)


def test_every_answer_has_the_security_headers_once(here: Hosts) -> None:
    async def own(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"x-content-type-options", b"nosniff"), (b"content-security-policy", b"sandbox")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def asked(app: Any, host: str) -> Answer:
        made: Answer = in_a_thread(lambda: ask(SecurityHeaders(app), scope_of(headers={"host": host}), empty))
        return made

    for answer in (asked(accept, HOST), asked(Origins(accept, here), "evil.test")):
        assert answer.headers["content-security-policy"] == policy(on_space=False)
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"].split("; ")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert asked(own, HOST).headers["content-security-policy"] == "sandbox"
    assert len(asked(own, HOST).messages[0]["headers"]) == 5


def test_a_spaces_headers_let_hugging_face_frame_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "ada/studio")
    answer: Answer = in_a_thread(lambda: ask(SecurityHeaders(accept), scope_of(), empty))

    framed = answer.headers["content-security-policy"].split("; ")[-1]
    assert framed == "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co https://*.hf.space"
    assert "x-frame-options" not in answer.headers
