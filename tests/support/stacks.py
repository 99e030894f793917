"""The templates deployed into moto, as far as moto goes.

CloudFormation at moto makes some types not at all and forgets properties of others. What it leaves out is made by the
services' own calls, from the same resolved template: so what stands in the end is what the templates say.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.templates import ACCOUNT, ORDER, REGION, resolved, template

NAME = "acme"
"""Another name than the default: other tests of one process have an alias and buckets of that at moto."""
PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "compute": {
        "Image": "registry.example/pico@sha256:" + "0" * 64,
        "PublicUrl": "https://api.example",
        "AppUrl": "https://app.example",
        "MailFrom": "hello@pico.example",
        "TwilioAccountSid": "AC" + "a" * 32,
        "TwilioKeySid": "SK" + "a" * 32,
        "TwilioApplicationSid": "AP" + "a" * 32,
        "SendGridWebhookKeys": "A" * 122 + "==",
    },
    "alarms": {"Mail": "operator@pico.example"},
}

Client = Callable[[str], Any]
Properties = dict[str, Any]


def deployed(client: Client) -> dict[str, str]:
    """Deploy every template in order; return what they export, by name."""
    cloud, exports = client("cloudformation"), dict[str, str]()
    certificate = client("acm").request_certificate(DomainName="api.example")["CertificateArn"]
    for part in ORDER:
        read, said = template(part), {"Name": NAME, **PARAMETERS.get(part, {})}
        if part == "compute":
            said["Certificate"] = certificate
        left = {name: each for name, each in read["Resources"].items() if each["Type"] in MADE_BY_CALLS}
        defaults = {key: each.get("Default") for key, each in read["Parameters"].items()}
        refs: dict[str, Any] = {**defaults, "Name": NAME, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
        refs |= said
        for name in [name for name, each in left.items() if each["Type"] == SECRET]:
            refs[name] = _secret(client, resolved(left.pop(name)["Properties"], refs, exports))
        kept = _without(read, set(left), refs)
        with warnings.catch_warnings():
            cloud.create_stack(
                StackName=f"{NAME}-{part}", TemplateBody=json.dumps(kept),
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Parameters=[{"ParameterKey": key, "ParameterValue": each} for key, each in said.items()],
            )  # fmt: skip
        refs |= {name: _named(each["Properties"], refs, exports) for name, each in left.items()}
        exports |= {each["Name"]: each["Value"] for each in cloud.list_exports()["Exports"]}
        for each in cloud.describe_stack_resources(StackName=f"{NAME}-{part}")["StackResources"]:
            if name := each.get("PhysicalResourceId"):
                refs[each["LogicalResourceId"]] = name
                refs[f"{each['LogicalResourceId']}.Arn"] = f"arn:aws:s3:::{name}"
        for name, each in read["Resources"].items():
            if (make := MADE_BY_CALLS.get(each["Type"]) or FORGOTTEN.get(each["Type"])) is not None:
                make(client, refs.get(name, ""), resolved(each.get("Properties", {}), refs, exports))
    return exports


def _named(properties: Properties, refs: Mapping[str, Any], exports: Mapping[str, str]) -> str:
    """Return the name that a resource is to have, by which others refer to it."""
    names = [key for key in properties if key.endswith(("Name", "Identifier", "Id")) and key != "DBName"]
    return str(resolved(properties[names[0]], refs, exports)) if names else ""


def _without(read: Properties, left: set[str], refs: Mapping[str, Any]) -> Properties:
    """Return a template without what moto's CloudFormation cannot make, and with ARNs in the place of secrets."""

    def kept(value: Any) -> Any:
        match value:
            case {"Ref": name} if str(refs.get(name, "")).startswith("arn:aws:secretsmanager"):
                return refs[name]
            case dict():
                return {key: kept(each) for key, each in value.items()}
            case list():
                return [kept(each) for each in value]
        return value

    resources = {}
    for name, each in read["Resources"].items():
        if name in left or each["Type"] == SECRET:
            continue
        resources[name] = kept({key: part for key, part in each.items() if key != "Metadata"})
        if each["Type"] == "AWS::KMS::Key":
            resources[name]["Properties"].pop("Tags", None)  # which it takes for tags of another shape
    outputs = {key: each for key, each in read.get("Outputs", {}).items() if not _is_of(each["Value"], left)}
    return {**read, "Resources": resources, "Outputs": kept(outputs)}


def _is_of(value: Any, names: set[str]) -> bool:
    return isinstance(value, dict) and value.get("Fn::GetAtt", [""])[0] in names


def _secret(client: Client, properties: Properties) -> str:
    made: str = client("secretsmanager").create_secret(Name=properties["Name"], SecretString="{}")["ARN"]
    return made


def _bucket_policy(client: Client, _: str, properties: Properties) -> None:
    client("s3").put_bucket_policy(
        Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"])
    )


def _bucket(client: Client, name: str, properties: Properties) -> None:
    s3 = client("s3")
    if properties.get("ObjectLockEnabled"):  # which is chosen when a bucket is made
        s3.delete_bucket(Bucket=name)
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        s3.put_object_lock_configuration(
            Bucket=name, ObjectLockConfiguration=properties["ObjectLockConfiguration"]
        )
        for rule in properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]:
            encrypted = {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [encrypted]})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    s3.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=properties["PublicAccessBlockConfiguration"]
    )
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=properties["OwnershipControls"])
    if rules := properties.get("LifecycleConfiguration", {}).get("Rules"):
        s3.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration={"Rules": [lifecycle(rule) for rule in rules]}
        )


def lifecycle(rule: Properties) -> Properties:
    """Say a rule as S3 does, which names things otherwise than CloudFormation."""
    said: Properties = {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    if tags := rule.get("TagFilters"):
        [said["Filter"]] = [{"Tag": tag} for tag in tags]
    if "ExpirationInDays" in rule:
        said["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if rule.get("ExpiredObjectDeleteMarker"):
        said["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    return said | {
        key: rule[key]
        for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
        if key in rule
    }


def _key(client: Client, key_id: str, properties: Properties) -> None:
    policy = json.dumps(properties["KeyPolicy"])  # of which it would keep no text otherwise
    client("kms").put_key_policy(KeyId=key_id, PolicyName="default", Policy=policy)
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
    if tags:
        client("kms").tag_resource(KeyId=key_id, Tags=tags)


def _subnets(client: Client, _: str, properties: Properties) -> None:
    client("rds").create_db_subnet_group(**properties)


def _parameters(client: Client, _: str, properties: Properties) -> None:
    rds, name = client("rds"), properties["DBParameterGroupName"]
    rds.create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily=properties["Family"],
        Description=properties["Description"],
    )  # fmt: skip
    rds.modify_db_parameter_group(
        DBParameterGroupName=name,
        Parameters=[
            {"ParameterName": key, "ParameterValue": said, "ApplyMethod": "immediate"}
            for key, said in properties["Parameters"].items()
        ],
    )


def _database(client: Client, _: str, properties: Properties) -> None:
    other = {"VPCSecurityGroups", "ManageMasterUserPassword", "DeleteAutomatedBackups"}
    said = {key: each for key, each in properties.items() if key not in other}
    said |= {"AllocatedStorage": int(said["AllocatedStorage"]), "MasterUserPassword": "not used by anybody"}
    client("rds").create_db_instance(**said, VpcSecurityGroupIds=properties["VPCSecurityGroups"])


def _cache_subnets(client: Client, _: str, properties: Properties) -> None:
    client("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName=properties["CacheSubnetGroupName"],
        CacheSubnetGroupDescription=properties["Description"],
        SubnetIds=properties["SubnetIds"],
    )


def _cache(client: Client, _: str, properties: Properties) -> None:
    client("elasticache").create_replication_group(**{**properties, "AuthToken": "a" * 64})


def _filter(client: Client, _: str, properties: Properties) -> None:
    filters = [
        {key[0].lower() + key[1:]: said for key, said in each.items()}
        for each in properties["MetricTransformations"]
    ]
    client("logs").put_metric_filter(
        logGroupName=properties["LogGroupName"], filterName=filters[0]["metricName"],
        filterPattern=properties["FilterPattern"], metricTransformations=filters,
    )  # fmt: skip


def _alarm(client: Client, _: str, properties: Properties) -> None:
    client("cloudwatch").put_metric_alarm(**properties)


def _topic_policy(client: Client, _: str, properties: Properties) -> None:
    for topic in properties["Topics"]:
        policy = json.dumps(properties["PolicyDocument"])
        client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


SECRET = "AWS::SecretsManager::Secret"
MADE_BY_CALLS: Mapping[str, Callable[[Client, str, Properties], None] | None] = {
    SECRET: None,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::RDS::DBSubnetGroup": _subnets,
    "AWS::RDS::DBParameterGroup": _parameters,
    "AWS::RDS::DBInstance": _database,
    "AWS::ElastiCache::SubnetGroup": _cache_subnets,
    "AWS::ElastiCache::ReplicationGroup": _cache,
    "AWS::Logs::MetricFilter": _filter,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::SNS::TopicPolicy": _topic_policy,
}
"""What moto's CloudFormation does not make."""
FORGOTTEN: Mapping[str, Callable[[Client, str, Properties], None]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::KMS::Key": _key,
}
"""What it makes without some properties."""
