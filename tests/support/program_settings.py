"""Settings with which the program declares all that settings can add.

Tests share them, because a process evaluates the program once for all that ask for the same settings.
"""

from __future__ import annotations

import json

# The alternative to the product's own user pool is left out: it would only take resources away.
EVERYTHING = {
    "cloud-nlp:notify_emails": '["you@example.com"]',
    "cloud-nlp:api": json.dumps(
        {
            "domain": "api.example.com",
            "hosted_zone_id": "Z1",
            "firewall": True,
            "callback_urls": ["https://app.example.com/"],
            "logout_urls": ["https://app.example.com/"],
            "origins": ["https://app.example.com"],
            "identity_providers": [
                {
                    "name": "Okta",
                    "type": "SAML",
                    "metadata_url": "https://okta.example.com/metadata",
                    "groups_attribute": "groups",
                    "group_roles": {"nlp-editors": "editor"},
                }
            ],
            "threat_protection": "AUDIT",
            "mail_identity_arn": "arn:aws:ses:eu-central-1:123456789012:identity/example.com",
            "mail_from": "Cloud NLP <nlp@example.com>",
        }
    ),
    "cloud-nlp:jobs": json.dumps(
        {
            "instance_count": 3,
            "schedules": [
                {"label": "nightly", "kind": kind, "schedule": "rate(1 day)", "project": "p", "options": options}
                for kind, options in (("analyse", {}), ("translate", {"target": "de"}))
            ],
        }
    ),
}
