"""Address book and newsletters: the functions savetag, savecontact and savepaket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mensasdk.sandbox.smsgateway24.account import Contact, Newsletter
from mensasdk.sandbox.smsgateway24.dates import newsletter_moment
from mensasdk.sandbox.smsgateway24.params import Params
from mensasdk.sandbox.smsgateway24.refusals import Refused
from mensasdk.sandbox.smsgateway24.sending import Draft, commit, sim_of
from mensasdk.sandbox.smsgateway24.state import State

__all__ = ["save_contact", "save_newsletter", "save_tag", "start"]


def save_tag(state: State, params: Params) -> Mapping[str, Any]:
    """Answer savetag: make a new tag, even if there is one with the same title."""
    title = params.text("title", required=True)
    tag_id = state.next_tag_id()
    state.account.tags[tag_id] = title
    return {"error": 0, "tag_id": tag_id, "message": "OK"}


def save_contact(state: State, params: Params) -> Mapping[str, Any]:
    """Answer savecontact: make a new contact under a tag.

    The documents disagree on the name of the tag's parameter (see `Quirks.tag_name`) and on whether ``fullname`` is
    required; here it is not.
    """
    phone = params.text("phone", required=True)
    spelling = state.quirks.tag_name
    names = ("ctag_id", "tag_id") if spelling == "either" else (spelling,)
    name = next((name for name in names if params.text(name)), names[0])
    tag_id = params.integer(name, required=True) or 0
    if tag_id not in state.account.tags:
        raise Refused("Tag not found")
    contact_id = state.next_contact_id()
    state.account.contacts[contact_id] = Contact(phone, tag_id, params.text("fullname"))
    return {"error": 0, "contact_id": contact_id, "message": "ok"}


def save_newsletter(state: State, params: Params) -> Mapping[str, Any]:
    """Answer savepaket: make a newsletter, which sends nothing until a person starts it on the phone."""
    title, body = params.text("title", required=True), params.text("body", required=True)
    found = state.account.device(params.text("device_id", required=True))
    if found is None:
        raise Refused("Device not found")
    pieces = [piece.strip() for piece in params.text("tags", required=True).split(",")]
    if not all(re.fullmatch(r"[0-9]{1,18}", piece) for piece in pieces):
        raise Refused("tags is incorrect")
    tags = tuple(int(piece) for piece in pieces)
    if any(tag not in state.account.tags for tag in tags):
        raise Refused("Tag not found")
    sim = sim_of(params, required=False)
    when = params.text("time_to_send").strip()
    moment = newsletter_moment(when, "time_to_send") if when not in ("", "0") else None
    newsletter = Newsletter(state.next_newsletter_id(), title, body, found[0], sim, tags, moment)
    state.account.newsletters[newsletter.id] = newsletter
    return {"error": 0, "paket_id": newsletter.id, "message": "OK"}


def start(state: State, newsletter: Newsletter) -> int:
    """Send a newsletter once to each contact under its tags, and return the count of messages."""
    phones = dict.fromkeys(c.phone for c in state.account.contacts.values() if c.tag_id in newsletter.tags)
    device, sim = newsletter.device, newsletter.sim
    draft = Draft(
        list(phones),
        newsletter.body,
        device,
        sim,
        device.own_number(sim),
        scheduled_at=newsletter.scheduled_at,
        newsletter=newsletter,
    )
    return len(commit(state, [draft]))
