"""Mail by SendGrid."""
