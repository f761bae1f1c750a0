"""``serve --demo``: a platform with people and integrations in it, on this machine only.

``start`` makes sure that it is our own database and puts the people in; ``platform`` is what happens there; ``integrator``
is the other end of the wire, an integrator's software that knows nothing but HTTP; ``inbox`` verifies what is called at
both; ``pages`` is the integrator's web site below ``/demo``.
"""
