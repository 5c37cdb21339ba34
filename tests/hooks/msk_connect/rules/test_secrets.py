from __future__ import annotations

from kafka_ferry.hooks.msk_connect.rules.secrets import secrets_head, secrets_of

HEAD = "arn:aws:secretsmanager:eu-west-1:123456789012"
PROVIDERS = {
    "config.providers": "files, secretsmanager",
    "config.providers.secretsmanager.class": "com.amazonaws.kafka.config.providers.SecretsManagerConfigProvider",
    "config.providers.files.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
}


def test_secrets_of_the_provider_that_reads_them_and_no_others() -> None:
    references = [
        "${secretsmanager:AmazonMSK_source:password}",
        "user ${secretsmanager:AmazonMSK_source:username} and ${secretsmanager:team%2Fother:x}",
        "${files:/etc/secret:password}",
        "${env:HOME}",
        "plain",
    ]
    assert secrets_of(PROVIDERS, references, HEAD) == (
        f"{HEAD}:secret:AmazonMSK_source-??????",
        f"{HEAD}:secret:team/other-??????",
    )
    assert secrets_of({}, references, HEAD) == ()


def test_an_arn_in_a_reference_is_that_secret() -> None:
    reference = "${secretsmanager:arn%3Aaws%3Asecretsmanager%3Aeu-west-1%3A1%3Asecret%3Ax-AbCdEf:password}"
    assert secrets_of(PROVIDERS, [reference], HEAD) == ("arn:aws:secretsmanager:eu-west-1:1:secret:x-AbCdEf",)


def test_secrets_are_looked_for_beside_the_cluster() -> None:
    assert secrets_head("arn:aws-cn:kafka:cn-north-1:1:cluster/a/b") == "arn:aws-cn:secretsmanager:cn-north-1:1"
