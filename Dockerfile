# The auditor as an image: docker run --rm --network none -v "$PWD:/repository:ro" -v auditor-cache:/cache auditor audit /repository
FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b AS build
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /opt/auditor && /opt/auditor/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY auditor auditor
COPY rules rules
COPY reports/templates reports/templates
RUN /opt/auditor/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin auditor && install -d -o auditor -g auditor /cache /reports
COPY --from=build /opt/auditor /opt/auditor
ENV PATH=/opt/auditor/bin:$PATH XDG_CACHE_HOME=/cache PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
WORKDIR /reports
HEALTHCHECK NONE
ENTRYPOINT ["auditor"]
CMD ["--help"]
