# The image that app.yaml runs: docker build --tag aisq .
# Slim Debian, because the wheels of the lock are built for glibc. Two stages, so that what runs holds neither
# pip nor the tool that built the package.

FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/aisq
COPY requirements.lock ./
RUN pip --python /opt/aisq/bin/python install --no-cache-dir --only-binary :all: --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot/ bot/
RUN pip --python /opt/aisq/bin/python install --no-cache-dir --no-index --no-deps --no-build-isolation . \
 && pip --python /opt/aisq/bin/python uninstall --yes setuptools

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin aisq \
 && install --directory --owner=aisq /var/lib/aisq
COPY --from=build /opt/aisq /opt/aisq
WORKDIR /srv/aisq
COPY pyproject.toml LICENSE ./
COPY catalog/ catalog/
COPY policies/ policies/
COPY runbooks/ runbooks/
# Log lines leave at once, and the state directory is the only place that may be written.
ENV PATH=/opt/aisq/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    AISQ_CATALOG_DIR=/srv/aisq/catalog AISQ_POLICIES_DIR=/srv/aisq/policies AISQ_STATE_DIR=/var/lib/aisq
# By number, so that a cluster that insists on "not root" can see it.
USER 10001
EXPOSE 8080
CMD ["aisq", "serve"]
