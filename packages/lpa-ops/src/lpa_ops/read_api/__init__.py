"""The read API: routes over the database that lpa writes, served by ``lpa serve``."""
