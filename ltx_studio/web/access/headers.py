"""Headers that tell browsers what the studio's pages may do and who may show them in a frame."""

import os

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SPACE_PAGES = "https://huggingface.co https://*.huggingface.co https://*.hf.space"


def policy(*, on_space: bool) -> str:
    """Return a Content-Security-Policy that Gradio's page works with.

    Its scripts are inline, and it compiles the JavaScript of handlers at run time; nothing is loaded from another host,
    except on a Space, whose header is Hugging Face's.
    """
    others = f" {SPACE_PAGES}" if on_space else ""
    rules = {
        "default-src": f"'self'{others}",
        "script-src": f"'self' 'unsafe-inline' 'unsafe-eval' blob:{others}",
        "style-src": f"'self' 'unsafe-inline'{others}",
        "img-src": f"'self' data: blob:{others}",
        "media-src": f"'self' data: blob:{others}",
        "font-src": "'self' data:",
        "connect-src": f"'self' data: blob:{others}",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": f"'self'{others}",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


class SecurityHeaders:
    """ASGI middleware that adds each header to every answer that does not set it itself."""

    def __init__(self, app: ASGIApp) -> None:
        on_space = bool(os.environ.get("SPACE_ID"))
        added = {
            "content-security-policy": policy(on_space=on_space),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
        }
        if not on_space:  # both would keep Hugging Face from showing the Space
            added |= {"x-frame-options": "SAMEORIGIN", "cross-origin-resource-policy": "same-origin"}
        self._app = app
        self._added = [(name.encode(), value.encode()) for name, value in added.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                given = {name.lower() for name, _ in headers}
                message["headers"] = headers + [each for each in self._added if each[0] not in given]
            await send(message)

        await self._app(scope, receive, send_with_headers)
