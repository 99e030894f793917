"""Stripe's objects as it answers them: what its API requires of each, and what Pico could ever look at."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
PERIOD = 30 * 86_400
"""Seconds of a month, as this Stripe counts them."""


def customer(ref: str, at: int, metadata: Object) -> Object:
    """Return a customer: whoever pays."""
    return {
        "id": ref, "object": "customer", "created": at, "livemode": False, "metadata": metadata, "email": None,
        "name": None, "phone": None, "address": None, "delinquent": False,
    }  # fmt: skip


def deleted_customer(ref: str) -> Object:
    """Return what is left of a customer."""
    return {"id": ref, "object": "customer", "deleted": True}


def checkout(ref: str, at: int, url: str, given: Object) -> Object:
    """Return a page on which something can be bought."""
    return {
        "id": ref, "object": "checkout.session", "created": at, "expires_at": at + 86_400, "livemode": False,
        "mode": given["mode"], "status": "open", "payment_status": "unpaid", "url": url,
        "customer": given.get("customer"), "client_reference_id": given.get("client_reference_id"),
        "success_url": given.get("success_url"), "cancel_url": given.get("cancel_url"),
        "metadata": given.get("metadata", {}),
        "automatic_tax": {"enabled": False, "liability": None, "provider": None},
        "custom_fields": [], "custom_text": {
            "after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None,
        },
        "payment_method_types": ["card"], "shipping_options": [],
    }  # fmt: skip


def price(ref: str, amount: int) -> Object:
    """Return a price a month."""
    return {
        "id": ref, "object": "price", "active": True, "billing_scheme": "per_unit", "created": 0, "currency": "usd",
        "livemode": False, "metadata": {}, "product": "prod_pico", "type": "recurring", "unit_amount": amount,
        "recurring": {
            "interval": "month", "interval_count": 1, "meter": None, "usage_type": "licensed",
            "trial_period_days": None,
        },
    }  # fmt: skip


def plan(ref: str, amount: int) -> Object:
    """Return what a price was called before."""
    return {
        "id": ref, "object": "plan", "active": True, "billing_scheme": "per_unit", "created": 0, "currency": "usd",
        "interval": "month", "interval_count": 1, "livemode": False, "usage_type": "licensed", "amount": amount,
    }  # fmt: skip


def subscription(ref: str, payer: str, at: int, of: tuple[str, int], metadata: Object, status: str) -> Object:
    """Return a subscription of one price, given the price's id and amount."""
    item = {
        "id": ref.replace("sub_", "si_"), "object": "subscription_item", "created": at, "discounts": [], "metadata": {},
        "price": price(*of), "plan": plan(*of), "quantity": 1, "subscription": ref, "tax_rates": [],
        "current_period_start": at, "current_period_end": at + PERIOD, "billing_thresholds": None,
    }  # fmt: skip
    return {
        "id": ref, "object": "subscription", "created": at, "start_date": at, "billing_cycle_anchor": at,
        "customer": payer, "status": status, "currency": "usd", "collection_method": "charge_automatically",
        "cancel_at_period_end": False, "cancel_at": None, "canceled_at": None, "ended_at": None, "livemode": False,
        "metadata": metadata, "discounts": [], "billing_schedules": [], "billing_mode": {"type": "classic"},
        "automatic_tax": {"enabled": False, "liability": None},
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list", "data": [item], "has_more": False, "url": f"/v1/subscription_items?subscription={ref}",
        },
    }  # fmt: skip


def invoice(ref: str, of: Object, at: int, amount: int, reason: str) -> Object:
    """Return an invoice for a subscription, as a draft."""
    return {
        "id": ref, "object": "invoice", "created": at, "customer": of["customer"], "status": "draft",
        "auto_advance": True, "billing_reason": reason, "currency": "usd", "livemode": False, "metadata": {},
        "amount_due": amount, "amount_paid": 0, "amount_remaining": amount, "amount_overpaid": 0, "amount_shipping": 0,
        "attempt_count": 0, "attempted": False, "collection_method": "charge_automatically", "default_tax_rates": [],
        "automatic_tax": {"enabled": False, "liability": None, "provider": None},
        "discounts": [], "issuer": {"type": "self"}, "period_start": at, "period_end": at,
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{ref}/lines"},
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0, "starting_balance": 0,
        "status_transitions": {
            "finalized_at": None, "marked_uncollectible_at": None, "paid_at": None, "voided_at": None,
        },
        "subtotal": amount, "total": amount, "parent": {
            "type": "subscription_details", "quote_details": None,
            "subscription_details": {"subscription": of["id"], "metadata": of["metadata"]},
        },
    }  # fmt: skip


def event(ref: str, kind: str, about: Object, at: int) -> Object:
    """Return an event with a copy of what it is about."""
    return {
        "id": ref, "object": "event", "type": kind, "created": at, "livemode": False, "pending_webhooks": 1,
        "api_version": "2026-06-24.dahlia", "data": {"object": about}, "request": {"id": None, "idempotency_key": None},
    }  # fmt: skip


def portal(ref: str, at: int, url: str, given: Object) -> Object:
    """Return a page on which a customer looks after a subscription."""
    return {
        "id": ref, "object": "billing_portal.session", "created": at, "livemode": False, "url": url,
        "customer": given["customer"], "configuration": "bpc_pico", "return_url": given.get("return_url"),
        "on_behalf_of": None,
    }  # fmt: skip
