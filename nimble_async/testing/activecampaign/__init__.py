"""What the simulator answers for each operation of ActiveCampaign: one handler per operation."""

from __future__ import annotations

__all__: list[str] = []
