/** ConfigMaps and Secrets. Source: kubernetes pkg/apis/core/validation (ValidateConfigMap, ValidateSecret). */
import { found, missing, type Finding } from "../finding.ts";
import type { ConfigMap, Secret } from "../spec.ts";
import { shorten } from "../shorten.ts";

const KEY = /^[-._a-zA-Z0-9]{1,253}$/;
/** Go's base64.StdEncoding; line breaks are skipped. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const MAX_BYTES = 1024 * 1024;

const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

export function configMapFindings(map: ConfigMap): Finding[] {
  const data = map.data ?? {};
  const binary = map.binaryData ?? {};
  const both = Object.keys(binary).filter((key) => Object.hasOwn(data, key));
  return [
    ...keyFindings(data, "data"),
    ...keyFindings(binary, "binaryData"),
    ...base64Findings(binary, "binaryData"),
    ...both.map((key) =>
      found("duplicate-entry", `data.${key}`, `The key "${key}" is in data and in binaryData.`, "Keep one."),
    ),
    ...sizeFindings([data, binary], "ConfigMap"),
  ];
}

export function secretFindings(secret: Secret): Finding[] {
  const data = secret.data ?? {};
  const text = secret.stringData ?? {};
  const lacking = (REQUIRED_KEYS[secret.type ?? ""] ?? []).filter(
    (key) => !Object.hasOwn(data, key) && !Object.hasOwn(text, key),
  );
  return [
    ...keyFindings(data, "data"),
    ...keyFindings(text, "stringData"),
    ...base64Findings(data, "data"),
    ...lacking.map((key) =>
      missing(`data[${key}]`, `A Secret of the type ${secret.type ?? ""} needs the key ${key}.`),
    ),
    ...sizeFindings([data, text], "Secret"),
  ];
}

function keyFindings(entries: Readonly<Record<string, string>>, field: string): Finding[] {
  return Object.keys(entries)
    .filter((key) => !KEY.test(key) || key === "." || key === ".." || key.startsWith(".."))
    .map((key) => ({
      ...found(
        "bad-key",
        `${field}.${key}`,
        `The key "${shorten(key)}" may only have letters, digits, dashes, underscores and dots.`,
      ),
      atKey: true,
    }));
}

function base64Findings(entries: Readonly<Record<string, string>>, field: string): Finding[] {
  return Object.entries(entries)
    .filter(([, value]) => !BASE64.test(value.replaceAll(/[\r\n]/g, "")))
    .map(([key]) =>
      found(
        "bad-base64",
        `${field}.${key}`,
        `The value of "${shorten(key)}" is not base64.`,
        field === "data" ? "Put plain text into stringData." : "Put plain text into data.",
      ),
    );
}

function sizeFindings(parts: ReadonlyArray<Readonly<Record<string, string>>>, kind: string): Finding[] {
  const bytes = parts
    .flatMap((part) => Object.values(part))
    .reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  return bytes > MAX_BYTES
    ? [found("too-long", "data", `The ${kind} has ${bytes} bytes; at most ${MAX_BYTES} are allowed.`)]
    : [];
}
