"""``manage.py import_handoffs FILE --mapping MAP.json [--dry-run] [--refused FILE]``."""

from leads.enums import ImportKind
from leads.importing.command import ImportCommand


class Command(ImportCommand):
    """Bring the handoffs of another tool in from a CSV or XLSX file."""

    help = "Bring the past handoffs of another tool in from a CSV or XLSX file."
    kind = ImportKind.HANDOFFS
