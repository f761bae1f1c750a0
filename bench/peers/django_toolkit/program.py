"""django-oauth-toolkit.

gunicorn program:application      serves; DATABASE is Django's, FASTEST leaves out middleware and hashing
python program.py FOLDER CODES REFRESH ACCESS REVOCABLE RACES      makes the tables, the client and the grants
"""

import os
import sys
import uuid
from datetime import timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

# Models can be imported once Django is set up.
from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402
from oauth2_provider.generators import generate_client_secret  # noqa: E402
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken  # noqa: E402
from oauthlib.common import generate_token  # noqa: E402

from bench.material import CHALLENGE, CLIENT_CREDENTIALS, EXCHANGE, REDIRECT_URI, SCOPE, write_material  # noqa: E402

DAY = timedelta(days=1)
BATCH = 500


def make_application(kind):
    secret = generate_client_secret()
    made = Application.objects.create(
        name=f"Bench {kind}",
        client_id=f"bench-{kind}",
        client_secret=secret,
        hash_client_secret=not settings.FASTEST,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=kind,
        redirect_uris=REDIRECT_URI,
    )
    return made, {"id": made.client_id, "secret": secret, "body": CLIENT_CREDENTIALS}


def prepare(folder, codes, refresh_tokens, access_tokens, revocable, races):
    """The rows that the endpoints would have written, each of a user of its own. An application has one kind of grant."""
    call_command("migrate", verbosity=0)
    _, machine = make_application(Application.GRANT_CLIENT_CREDENTIALS)
    client, user_of_codes = make_application(Application.GRANT_AUTHORIZATION_CODE)
    number = codes + refresh_tokens + access_tokens + revocable + races
    model = get_user_model()
    users = model.objects.bulk_create(
        [model(username=f"user-{each}", password="!") for each in range(number)], batch_size=BATCH
    )
    until = timezone.now() + DAY
    waiting = [
        Grant(
            application=client,
            user=user,
            code=generate_token(),
            expires=until,
            redirect_uri=REDIRECT_URI,
            scope=SCOPE,
            code_challenge=CHALLENGE,
            code_challenge_method="S256",
        )
        for user in users[:codes]
    ]
    Grant.objects.bulk_create(waiting, batch_size=BATCH)
    access = [
        AccessToken(application=client, user=user, token=generate_token(), expires=until, scope=SCOPE)
        for user in users[codes:]
    ]
    access = AccessToken.objects.bulk_create(access, batch_size=BATCH)
    refresh = [
        RefreshToken(
            application=client, user=each.user, token=generate_token(), access_token=each, token_family=uuid.uuid4()
        )
        for each in access
    ]
    RefreshToken.objects.bulk_create(refresh, batch_size=BATCH)
    files, start = {"codes": [each.code for each in waiting]}, 0
    for name, kind, count in (
        ("refresh_tokens", refresh, refresh_tokens),
        ("access_tokens", access, access_tokens),
        ("revocable", refresh, revocable),
        ("races", refresh, races),
    ):
        files[name] = [each.token for each in kind[start : start + count]]
        start += count
    said = {
        "token": "/o/token/",
        "introspection": "/o/introspect/",
        "revocation": "/o/revoke_token/",
        "callers": {"client_credentials opaque": machine},
        "user": user_of_codes,
        "exchange": EXCHANGE,
    }
    write_material(Path(folder), said, files)


if __name__ == "__main__":
    prepare(sys.argv[1], *map(int, sys.argv[2:]))
