FROM python:3.12.12-slim-bookworm AS build

RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
WORKDIR /src
COPY pyproject.toml uv.lock ./
COPY packages packages
COPY docs docs

# Dependencies as locked, checked by their hashes; then the five wheels, and nothing from an index that is named like them.
RUN uv export --quiet --frozen --all-packages --extra all --extra serve --extra console --no-default-groups --no-emit-workspace --output-file /locked.txt \
    && uv venv --python python3.12 /opt/lpa \
    && uv pip install --python /opt/lpa --no-cache --require-hashes --requirements /locked.txt
RUN uv build --all-packages --wheel --out-dir /dist \
    && uv pip install --python /opt/lpa --no-cache --offline --no-deps /dist/*.whl

FROM python:3.12.12-slim-bookworm

RUN useradd --uid 10001 --home-dir /var/lib/lpa --create-home --shell /usr/sbin/nologin lpa
COPY --from=build /opt/lpa /opt/lpa
ENV PATH=/opt/lpa/bin:$PATH \
    LPA_DATA_DIR=/var/lib/lpa \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/lpa
USER lpa
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --retries=6 --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8081/healthz', timeout=4)"]
ENTRYPOINT ["lpa"]
