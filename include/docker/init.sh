#!/usr/bin/env bash
# Runs once before Airflow's services: the database schema, and the one login of the UI.
set -euo pipefail

airflow db migrate

umask 077
python - <<'PY'
import json
import os

with open(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"], "w") as file:
    json.dump({os.environ["FERRY_AIRFLOW_USER"]: os.environ["FERRY_AIRFLOW_PASSWORD"]}, file)
PY
