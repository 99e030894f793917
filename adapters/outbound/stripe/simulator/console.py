"""What only whoever signs in to Stripe's dashboard changes: where it tells of events, and what its portal offers."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.outbound.stripe.simulator.shapes import Object


@dataclass(slots=True)
class Console:
    """The account's webhook endpoints, and the configurations of its portal."""

    endpoints: list[Object] = field(default_factory=list)
    portals: list[Object] = field(default_factory=list)

    def add_endpoint(self, url: str, version: str, events: tuple[str, ...]) -> Object:
        """Have it tell an address of events; return the endpoint, which may be changed by hand."""
        made: Object = {
            "id": f"we_{len(self.endpoints)}",
            "object": "webhook_endpoint",
            "url": url,
            "api_version": version,
            "enabled_events": list(events),
            "status": "enabled",
            "livemode": False,
        }
        self.endpoints.append(made)
        return made

    def add_portal(self) -> Object:
        """Set the portal up, as far as is needed for one to be opened; return its configuration."""
        made: Object = {
            "id": f"bpc_{len(self.portals)}",
            "object": "billing_portal.configuration",
            "active": True,
            "is_default": True,
            "features": {
                "customer_update": {"enabled": False, "allowed_updates": []},
                "invoice_history": {"enabled": True},
                "payment_method_update": {"enabled": True},
                "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
            },
        }
        self.portals.append(made)
        return made

    def listed(self, name: str) -> Object:
        """Return one of both, whole."""
        held = self.endpoints if name == "webhook_endpoints" else self.portals
        return {"object": "list", "data": held, "has_more": False, "url": f"/v1/{name}"}
