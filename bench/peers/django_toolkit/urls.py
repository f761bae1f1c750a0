"""Where its documentation puts it."""

from django.urls import include, path

urlpatterns = [path("o/", include("oauth2_provider.urls"))]
