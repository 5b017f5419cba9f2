"""Who may open what. A view names a permission or says that it is public; one that does neither is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"


class Actor(Protocol):
    """Someone who is signed in, by session or by token."""

    def may(self, permission: Any) -> bool: ...


def may(permission: str) -> Callable[[View], View]:
    """Only people with this permission get to the view."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Anyone gets to the view, signed in or not."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def permission_of(app: Flask, endpoint: str, method: str) -> str | None:
    """The permission a view names for a method; None when it names none."""
    view = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    handler = getattr(view_class, method.lower(), None) or (
        getattr(view_class, "get", None) if method == "HEAD" else None
    )
    for place in (handler, view_class, view):
        named: str | None = getattr(place, "permission", None)
        if named is not None:
            return named
    return None


def enforce(app: Flask, actor: Callable[[], Actor | None], *, also_public: frozenset[str]) -> None:
    """Ask before every request; `also_public` names endpoints of libraries that need no permission."""

    @app.before_request
    def ask() -> ResponseReturnValue | None:
        if request.endpoint is None or request.endpoint in also_public or request.method == "OPTIONS":
            return None
        needed = permission_of(current_app, request.endpoint, request.method)
        if needed == PUBLIC:
            return None
        who = actor()
        if who is None:
            if request.path.startswith("/api/"):
                abort(401)
            return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
        if needed is None or not who.may(needed):
            abort(403)
        return None
