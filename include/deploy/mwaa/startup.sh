#!/bin/sh
# Amazon MWAA: the startup script of the environment, run by each of its parts (docs/install.md).
export FERRY_ARTIFACTS=s3://your-bucket/kafka-ferry/artifacts
# What who triggers a run may use, where the defaults are too narrow (docs/security.md):
# export AIRFLOW__KAFKA_FERRY__HOSTS=kafka_hosts
# export AIRFLOW__KAFKA_FERRY__LOCATIONS=s3://your-bucket/
