"""``manage.py import_leads FILE --mapping MAP.json [--dry-run] [--refused FILE]``."""

from leads.enums import ImportKind
from leads.importing.command import ImportCommand


class Command(ImportCommand):
    """Bring leads, with their past stages, in from a CSV or XLSX file."""

    help = "Bring leads, with their past stages, in from a CSV or XLSX file."
    kind = ImportKind.LEADS
