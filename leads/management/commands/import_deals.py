"""``manage.py import_deals FILE --mapping MAP.json [--dry-run] [--refused FILE]``."""

from leads.enums import ImportKind
from leads.importing.command import ImportCommand


class Command(ImportCommand):
    """Bring won and lost deals in from a CSV or XLSX file."""

    help = "Bring won and lost deals in from a CSV or XLSX file."
    kind = ImportKind.DEALS
