"""The menu: what there is, in the order people look for it. Each sees what they may open."""

from __future__ import annotations

from crm.web.navigation import Item

MENU: tuple[Item, ...] = ()
