# A small image: wheels by hash, no compiler, no pip in what runs, nothing written but the data directory.
# docs/how-to/deploy.md says how it is built and run.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN python -m venv /opt/grantway \
    && /opt/grantway/bin/pip install --require-hashes --only-binary :all: --requirement requirements/runtime.txt \
    && python -m pip install --require-hashes --only-binary :all: --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir wheel . \
    && /opt/grantway/bin/pip install --no-deps --no-index wheel/grantway-*.whl \
    && /opt/grantway/bin/pip uninstall --yes setuptools pip

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/grantway --shell /usr/sbin/nologin grantway \
    && install --directory --owner grantway --group grantway --mode 0700 /var/lib/grantway
COPY --from=build /opt/grantway /opt/grantway
ENV PATH=/opt/grantway/bin:$PATH GRANTWAY_DATA=/var/lib/grantway GRANTWAY_HOST=0.0.0.0 GRANTWAY_PORT=8080
USER 10001
WORKDIR /var/lib/grantway
VOLUME /var/lib/grantway
EXPOSE 8080
STOPSIGNAL SIGTERM
# Whether the process lives; whether it should be sent requests is asked by load balancers, at /health/ready.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as ask; ask.urlopen(f'http://127.0.0.1:{os.environ[\"GRANTWAY_PORT\"]}/health/live', timeout=2)"]
ENTRYPOINT ["grantway"]
CMD ["serve"]
