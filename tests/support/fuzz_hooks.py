"""What Schemathesis is not born with: how audio is sent. It loads this file by itself."""

from __future__ import annotations

import schemathesis

schemathesis.serializer.alias(["audio/mpeg", "audio/wav", "application/pdf"], "application/octet-stream")
