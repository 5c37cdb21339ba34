"""The service role of one run's connectors: checked where IAM may be read, in the words of plan and report."""

from __future__ import annotations

import json
import logging
from functools import cached_property

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.core.finding import Finding, Severity, refuse
from kafka_ferry.core.plan import PlannedRole
from kafka_ferry.extras import brought_by
from kafka_ferry.hooks.msk_connect.hook import MskConnectHook
from kafka_ferry.jobs.runtimes.service_role.role_hook import RoleHook
from kafka_ferry.jobs.runtimes.service_role.rules.role_check import RoleCheck
from kafka_ferry.jobs.runtimes.service_role.rules.role_needs import RoleNeeds

with brought_by("aws"):
    from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

PARAM = "service_execution_role_arn"


class ServiceRole:
    """IAM is asked once.

    :param hook: of MSK Connect; its connection is used for IAM too.
    """

    def __init__(self, hook: MskConnectHook, needs: RoleNeeds) -> None:
        self._hook, self.needs = hook, needs

    @cached_property
    def check(self) -> RoleCheck:
        """What IAM said."""
        hook = RoleHook(aws_conn_id=self._hook.aws_conn_id, region_name=self._hook.region_name)
        found = hook.check(self.needs, self._cluster_policy)
        log.info("service role %s: %s", self.needs.role_arn, found.detail)
        if found.problems:
            log.info("documents to use:\ntrust policy: %s\npermission policy: %s", *self._documents())
        return found

    def _documents(self) -> tuple[str, str]:
        policy = self.needs.policy()
        return json.dumps(self.needs.trust()), json.dumps(policy) if policy else "none, the cluster asks for none"

    def _cluster_policy(self) -> str:
        """Why the cluster itself may grant what the role lacks."""
        if not self.needs.cluster_arn:
            return ""
        try:
            self._hook.sibling("kafka").get_cluster_policy(ClusterArn=self.needs.cluster_arn)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            return "" if code == "NotFoundException" else f"the cluster's own policy may allow it: not readable, {code}"
        except BotoCoreError as error:
            return f"the cluster's own policy may allow it: not readable, {error}"
        return "the cluster's own policy may allow it, which is not checked"

    def findings(self) -> list[Finding]:
        """For the plan: what is surely wrong is refused, what may be is a warning, what was not asked is told."""
        subject = f"service role {self.needs.role_arn}"
        found = [
            Finding(Severity.REFUSE if one.sure else Severity.WARN, "service_role", subject, one.what, one.fix, PARAM)
            for one in self.check.problems
        ]
        fix = "iam:GetRole and iam:SimulatePrincipalPolicy on the role for the AWS connection, to check it"
        return found + [
            Finding(Severity.ADVISE, "service_role", subject, f"skipped: {one}", fix, PARAM)
            for one in self.check.skipped
        ]

    def refuse(self) -> None:
        """:raises BadParam: something is surely wrong; before a connector is made that would end FAILED."""
        refuse(self.findings())

    def about(self) -> PlannedRole:
        """For plan.json, from which the report takes the check."""
        return PlannedRole(
            arn=self.needs.role_arn,
            trust_policy=self.needs.trust(),
            permission_policy=self.needs.policy(),
            check=Check(**self._line().model_dump()),  # all of its fields are given, so all are written
        )

    def _line(self) -> Check:
        check = self.check
        status = Status.EXPLAINED if check.problems else Status.PASS if check.done else Status.SKIPPED
        if any(one.sure for one in check.problems):
            status = Status.FAIL
        return Check(
            name="service_role",
            status=status,
            detail=f"before the copy: {check.detail}",
            differences=[one.what for one in check.problems],
        )
