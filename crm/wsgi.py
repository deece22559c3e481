"""The WSGI entry point of the web process."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
application = get_wsgi_application()

# What is loaded by now stays for good. Left to it, the collector would look through all of it again
# and again: one request in a hundred waited 70 ms for that.
gc.collect()
gc.freeze()
# A page makes some thousands of objects and drops them by itself, as its last reference goes. By
# default the collector looks for cycles among them ten times a page, a seventh of its time.
gc.set_threshold(20_000, 20, 20)
