"""A project as ``django-admin startproject`` makes it, with django-oauth-toolkit installed as its documentation says."""

import json
import os
import secrets

SECRET_KEY = secrets.token_urlsafe(50)
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
FASTEST = bool(os.environ.get("FASTEST"))
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
if FASTEST:
    MIDDLEWARE = []
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "program.application"
DATABASES = {"default": json.loads(os.environ["DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
OAUTH2_PROVIDER = {
    "SCOPES": {
        "contacts:read": "Read contacts",
        "contacts:write": "Write contacts",
        "calls:write": "Make calls",
        "introspection": "Introspect tokens",
    },
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 86400,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 90 * 86400,
}
