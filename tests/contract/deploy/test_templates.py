"""The templates: without a finding of cfn-lint, in the region of the policy, and about the product as it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic_core import PydanticUndefined

from adapters.error_report import Incident
from adapters.outbound.aws import ledger, objects
from adapters.outbound.aws.kms import TAGS
from application.voicemail_audio import BACKSTOP
from bootstrap.logs import FOUND
from bootstrap.policy import POLICY, parse
from bootstrap.release import release
from bootstrap.settings import ProductionSettings, Settings, variable
from domain.audit_chain import Flaw
from domain.retention import Retention
from tests.support.cloud import Cloud
from tests.support.stacks import NAME
from tests.support.templates import FOLDER, ORDER, of_type, template

IMAGE = "/srv/pico/"
"""Where the image holds the product."""


def test_cfn_lint_has_nothing_to_say() -> None:
    files = [str(FOLDER / f"{part}.yaml") for part in ORDER]
    linted = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", "us-east-1", "--format", "parseable", *files],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (linted.stdout, linted.returncode) == ("", 0)


def test_every_template_is_deployed() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(ORDER)


@pytest.mark.parametrize("part", ORDER)
def test_a_template_is_for_the_region_of_the_policy_alone(part: str) -> None:
    [rule] = template(part)["Rules"].values()
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}


def test_everything_stands_at_moto(cloud: Cloud) -> None:
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert {each["StackName"]: each["StackStatus"] for each in stacks} == {
        f"{NAME}-{part}": "CREATE_COMPLETE" for part in ORDER
    }
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == len(of_type("alarms", "AWS::CloudWatch::Alarm"))


def test_alarms_go_by_words_that_the_logs_may_hold() -> None:
    patterns = of_type("alarms", "AWS::Logs::MetricFilter").values()
    phrases = {phrase for each in patterns for phrase in re.findall(r'"([^"]+)"', each["FilterPattern"])}
    floors = ("adapters", "adapters/inbound", "adapters/outbound/postgres", "bootstrap")
    sources = [path for floor in floors for path in FOLDER.parents[1].glob(f"{floor}/*.py")]
    said = "".join(path.read_text("utf-8") for path in sources)
    assert {phrase for phrase in phrases if phrase not in FOUND and f'"{phrase}"' not in said} == set()
    assert {flaw.code for flaw in Flaw} <= phrases


OF_WORK = {"job failed", "job dead", "job overdue", "sweep failed", "catching up failed"}
"""What is reported of work that processes which serve do not do."""


@pytest.mark.parametrize(("log", "but"), [("work", set()), ("serve", OF_WORK)])
def test_every_error_that_is_reported_raises_an_alarm_wherever_it_rises(log: str, but: set[str]) -> None:
    filters = of_type("alarms", "AWS::Logs::MetricFilter").values()
    heard = [each for each in filters if each["LogGroupName"] == {"Fn::Sub": f"/${{Name}}/{log}"}]
    phrases = {phrase for each in heard for phrase in re.findall(r'"([^"]+)"', each["FilterPattern"])}
    assert set(get_args(Incident)) - but <= phrases
    counted = {each["MetricTransformations"][0]["MetricName"] for each in heard}
    assert counted <= {each["MetricName"] for each in of_type("alarms", "AWS::CloudWatch::Alarm").values()}


def _one(said: dict[str, Any]) -> dict[str, Any]:
    """Return what is said, or would be were its condition met."""
    return said["Fn::If"][1] if "Fn::If" in said else said


def _environment() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return names of plain and of secret variables, by container."""
    plain, secret = dict[str, set[str]](), dict[str, set[str]]()
    for task in of_type("compute", "AWS::ECS::TaskDefinition").values():
        for container in task["ContainerDefinitions"]:
            said = [_one(each) for each in container.get("Environment", [])]
            plain[container["Name"]] = {each["Name"] for each in said}
            secret[container["Name"]] = {_one(each)["Name"] for each in container.get("Secrets", [])}
    return plain, secret


def test_processes_get_the_variables_that_there_are() -> None:
    known = {variable(name): field for name, field in ProductionSettings.model_fields.items()}
    needed = {name for name, field in known.items() if field.is_required()}
    are_secret = {name for name, field in known.items() if "SecretStr" in str(field.annotation)}
    plain, secret = _environment()
    for container in ("serve", "work"):
        assert needed <= plain[container] | secret[container], "what Production does not start without"
        assert plain[container] | secret[container] <= known.keys() | {"PICO_WORLD"}
        assert not plain[container] & are_secret, "a secret in clear"
        assert secret[container] <= are_secret, "something that is none, and need not be guarded"
    assert plain["front"] <= {variable(name) for name in Settings.model_fields}


def test_processes_that_serve_and_that_work_get_the_same() -> None:
    said = {
        container["Name"]: (container["Environment"], container["Secrets"])
        for task in of_type("compute", "AWS::ECS::TaskDefinition").values()
        for container in task["ContainerDefinitions"]
        if container["Name"] != "front"
    }
    assert said["serve"] == said["work"]


VENDORS = ("twilio", "telnyx", "sendgrid", "stripe", "fcm", "apns", "sentry")
PROXIES = ("_api_url", "_development_url", "_media_hosts")
"""What is set only where everything that is sent outside passes a proxy."""


def test_every_provider_can_be_set_up_and_every_secret_given() -> None:
    plain, secret = _environment()
    known = ProductionSettings.model_fields
    of_vendors = {name for name in known if name.startswith(VENDORS) and not name.endswith(PROXIES)}
    secrets = {name for name, field in known.items() if "SecretStr" in str(field.annotation)}
    assert set(map(variable, of_vendors)) <= plain["serve"] | secret["serve"]
    assert set(map(variable, secrets - {"owner_url"})) == secret["serve"], "only `pico migrate` is the owner"
    assert {known[name].default for name in of_vendors if variable(name) in plain["serve"]} <= {
        "", PydanticUndefined,
    }, "an empty parameter says what an unset variable does"  # fmt: skip


def test_containers_are_no_root_and_write_nothing_but_what_is_gone_with_them() -> None:
    for task in of_type("compute", "AWS::ECS::TaskDefinition").values():
        assert task["Volumes"] == [{"Name": "tmp"}]
        for container in task["ContainerDefinitions"]:
            assert container["ReadonlyRootFilesystem"] is True
            assert container["User"] == "10001:10001"
            assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
            assert [mount["ContainerPath"] for mount in container["MountPoints"]] == ["/tmp"]  # noqa: S108 - the volume


def test_the_image_holds_what_is_locked_and_is_no_root() -> None:
    said = (FOLDER.parent / "Containerfile").read_text("utf-8")
    lines = [line.split() for line in said.replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    assert [words[1:] for words in lines if words[0] == "USER"] == [["10001:10001"]]
    installs = [line for line in said.replace("\\\n", " ").splitlines() if "pip install" in line]
    assert len(installs) == 1
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps"} <= set(installs[0].split())


READS = """
from bootstrap.policy import IF_CONFIGURED
from bootstrap.publication import published
from bootstrap.release import release
clauses = published(IF_CONFIGURED)().clauses
assert all(each.state != "unproved" and "he" in each.sentence for each in clauses)
print(release(), len(clauses), __import__("bootstrap").__file__)
"""


def test_the_image_holds_what_a_process_reads_of_itself(tmp_path: Path) -> None:
    """Put the folder together as the image has it, and read there what pages and metrics say."""
    said = (FOLDER.parent / "Containerfile").read_text("utf-8")
    copies = [words[1:] for line in said.splitlines() if (words := line.split()) and words[0] == "COPY"]
    for *names, target in copies:
        if target.startswith(IMAGE):
            for name in names:
                held = tmp_path / target.removeprefix(IMAGE)
                source = FOLDER.parents[1] / name
                if source.is_dir():
                    shutil.copytree(source, held, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(source, held)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "domain", "application", "adapters", "bootstrap",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", READS], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    version, clauses, place = done.stdout.split()
    assert Path(place).is_relative_to(tmp_path)
    assert version == release()
    assert int(clauses) == len(parse(POLICY.read_text("utf-8")))


def test_what_the_bucket_deletes_is_what_the_adapter_marks() -> None:
    """Names tell nothing, so that no rule goes by a prefix; what we mark is voicemail, for as long as policy says."""
    rules = of_type("objects", "AWS::S3::Bucket")["Objects"]["LifecycleConfiguration"]["Rules"]
    assert not [rule for rule in rules if rule.get("Prefix")]
    [marked] = [rule for rule in rules if "ExpirationInDays" in rule]
    assert marked["TagFilters"] == [{"Key": objects.TAG, "Value": str(BACKSTOP)}]
    assert marked["ExpirationInDays"] == BACKSTOP == Retention().voicemail_audio.keep.days
    [old] = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert old["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_backups_live_as_long_as_the_policy_says() -> None:
    databases = of_type("data", "AWS::RDS::DBInstance")
    kept = {name: each["BackupRetentionPeriod"] for name, each in databases.items()}
    policy = Retention()
    assert kept == {"Rows": policy.backup.keep.days, "Keyring": policy.keyring_backup.keep.days}
    assert databases["Rows"]["KmsKeyId"] != databases["Keyring"]["KmsKeyId"]
    locked = of_type("objects", "AWS::S3::Bucket")["Ledger"]["ObjectLockConfiguration"]["Rule"]
    assert locked["DefaultRetention"]["Mode"] == "COMPLIANCE"
    assert locked["DefaultRetention"]["Days"] > policy.backup.keep.days


def _statements(role: str) -> dict[str, Any]:
    [policy] = of_type("roles", "AWS::IAM::Role")[role]["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


@pytest.mark.parametrize("role", ["Serve", "Work"])
def test_a_role_reaches_the_ledger_where_the_adapter_writes_it(role: str) -> None:
    reached = json.dumps(_statements(role)["AddToTheLedger"]["Resource"])
    assert f"/{ledger.PREFIX}*" in reached


def test_roles_know_master_keys_by_the_tag_that_the_adapter_gives_them() -> None:
    [tag] = TAGS
    [made] = [each["Tags"] for each in of_type("keys", "AWS::KMS::Key").values() if "Tags" in each]
    assert made == [{"Key": tag["TagKey"], "Value": tag["TagValue"]}]
    for role in ("Serve", "Work"):
        for said in _statements(role).values():
            if "ViaService" not in json.dumps(said) and "kms:" in json.dumps(said["Action"]):
                equal = said["Condition"]["StringEquals"]
                assert list(equal.values()) == [tag["TagValue"]]
                assert [key.rpartition("/")[2] for key in equal] == [tag["TagKey"]]
