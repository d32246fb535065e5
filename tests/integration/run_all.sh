#!/usr/bin/env bash
# Runs all tests on real servers, then the SQL assertions on the database that CLICKHOUSE_URL names, if it names one.
# Arguments go to ./dev integration.
set -euo pipefail
cd "$(dirname "$0")/../.."
./dev integration --junit-xml=integration.xml "$@"
if [ -n "${CLICKHOUSE_URL:-}" ]; then
  .nox/integration/bin/lpa check parity --sink clickhouse://
fi
