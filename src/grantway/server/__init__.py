"""Makes it so: settings, keys, storage, the funnel from request to answer, endpoints, pages."""
