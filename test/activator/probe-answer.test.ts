import { describe, expect, it } from "vitest";
import {
  activatorProbeAnswer,
  probeRequest,
  queueProxyProbeAnswer,
} from "../../src/activator/probe-answer.ts";
import type { Answer } from "../../src/proxy/exchange.ts";

const KUBELET = ["User-Agent", "kube-probe/1.30"];
const ACTIVATOR = ["User-Agent", "Knative-Activator-Probe"];
const AUTOSCALER = ["user-agent", "Knative-Autoscaling-Probe"];
const probe = (value: string): string[] => ["K-Network-Probe", value];

/** `status body`; `-` where the request is passed on. */
function shown(answer: Answer | undefined): string {
  return answer === undefined ? "-" : `${answer.status} ${String(answer.body)}`;
}

describe("a request that is no probe", () => {
  it.each([
    [[]],
    [["User-Agent", "curl/8.0", "Accept", "*/*"]],
    [["User-Agent", "Mozilla kube-probe/1.30"]],
    [probe("")],
    [["K-Network-Hash", "h"]],
    [["X-Network-Probe", "queue"]],
  ])("is not taken for one: %j", (headers) => {
    expect(probeRequest(headers)).toBeUndefined();
  });
});

describe("the activator", () => {
  it.each([
    [KUBELET, "200 "],
    [[...KUBELET, ...probe("queue")], "200 "],
    [["K-Kubelet-Probe", "x"], "200 "],
    [probe("activator"), "200 activator"],
    [probe("queue"), '400 unexpected probe header value: "queue"\n'],
    [probe('a"b'), '400 unexpected probe header value: "a\\"b"\n'],
    [[...probe("probe"), "K-Network-Hash", "abc"], "200 "],
    [probe("probe"), '400 a probe request must contain a non-empty "K-Network-Hash" header\n'],
    [[...ACTIVATOR, ...probe("queue")], '400 unexpected probe header value: "queue"\n'],
    [ACTIVATOR, "400 unexpected probe header value: \n"],
  ])("answers %j with %j", (headers, expected) => {
    const request = probeRequest(headers);
    if (request === undefined) throw new Error("not taken for a probe");
    expect(shown(activatorProbeAnswer(request))).toBe(expected);
  });
});

describe("queue-proxy", () => {
  it.each([
    [[...KUBELET, ...probe("queue")], true, false, "200 queue"],
    [[...ACTIVATOR, ...probe("queue")], true, false, "200 queue"],
    [[...AUTOSCALER, ...probe("queue")], true, false, "200 queue"],
    [["K-Kubelet-Probe", "x", ...probe("queue")], true, false, "200 queue"],
    [[...KUBELET, ...probe("queue")], false, false, "503 "],
    [[...KUBELET, ...probe("queue")], true, true, "503 shutting down\n"],
    [KUBELET, true, false, "400 unexpected probe header value: \n"],
    [[...KUBELET, ...probe("activator")], true, false, "400 unexpected probe header value: activator\n"],
    [[...probe("probe"), "K-Network-Hash", "abc"], true, false, "200 "],
    [probe("probe"), true, false, '400 a probe request must contain a non-empty "K-Network-Hash" header\n'],
    [[...probe("probe"), "K-Network-Hash", "abc"], true, true, "503 shutting down\n"],
    [probe("queue"), true, false, "-"],
    [probe("activator"), true, true, "-"],
  ])("answers %j, ready %s, draining %s, with %j", async (headers, ready, draining, expected) => {
    const request = probeRequest(headers);
    if (request === undefined) throw new Error("not taken for a probe");
    const answer = await queueProxyProbeAnswer(request, { draining, health: () => Promise.resolve(ready) });
    expect(shown(answer)).toBe(expected);
  });

  it("echoes the hash", async () => {
    const request = probeRequest([...probe("probe"), "k-network-hash", "abc"]);
    if (request === undefined) throw new Error("not taken for a probe");
    expect(activatorProbeAnswer(request)?.headers).toContainEqual(["K-Network-Hash", "abc"]);
  });
});
