# One image, two roles: `usher serve` (default) and `usher worker` (compose.yaml).
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /opt/usher
RUN python -m venv .venv
# The lock first: a change of our own code does not install everything again.
COPY requirements.lock ./
RUN .venv/bin/pip install --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY channels ./channels
COPY core ./core
COPY guardrails ./guardrails
COPY handlers ./handlers
COPY ingest ./ingest
COPY knowledge ./knowledge
RUN .venv/bin/pip install --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q .venv/lib app channels core guardrails handlers ingest knowledge

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /opt/usher --no-create-home usher
COPY --from=build /opt/usher /opt/usher
WORKDIR /opt/usher
COPY docs ./docs
RUN mkdir var && chown usher var
USER usher
ENV PATH=/opt/usher/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
VOLUME /opt/usher/var
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
# Needs USHER_SECRET. In a container loopback is nobody's, so it listens to all.
CMD ["usher", "serve", "--host", "0.0.0.0", "--port", "8000"]
