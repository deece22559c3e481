"""The collector: takes messages from sites and servers, and answers once they are durable.

An ASGI process of its own beside the web process, without Django's middleware, sessions and ORM. It
knows the protocol, the keys and the inbox; what a message means is for ``absorb_events`` to find.
"""
