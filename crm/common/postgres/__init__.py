"""Django's PostgreSQL, which lends no connection that has ended; ``ENGINE`` of the database."""
