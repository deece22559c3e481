from tests.leads.import_access import IMPORT_ROWS
from tests.leads.list_access import LIST_ROWS
from tests.leads.page_access import PAGE_ROWS

ROWS = [*LIST_ROWS, *IMPORT_ROWS, *PAGE_ROWS]
