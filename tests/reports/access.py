from __future__ import annotations

from tests.access import ADMIN, MANAGER, MARKETER, REP, row

READERS = (MARKETER, MANAGER, ADMIN)

ROWS = [
    row("reports:today", MANAGER, ADMIN),
    row("reports:funnel", *READERS),
    row("reports:funnel_csv", *READERS),
    row(
        "reports:funnel_cycles",
        *READERS,
        data={"figure": "MQL:2026-05-01:2026-05-31:SAL:cycles"},
    ),
    row("reports:calibration", *READERS),
    row("reports:calibration_forms", *READERS, data={"answer": "YES"}),
    row("reports:sla", *READERS),
    row("reports:sla_handoffs", *READERS),
    row("reports:sla_csv", *READERS),
    row("reports:sla_table", *READERS),
    row("reports:own", REP),
    row("reports:own_handoffs", REP),
]
