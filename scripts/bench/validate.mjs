/** `kserve-local validate` of one file as a whole process, and of a thousand documents; against Node doing nothing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin } from "./emulator.mjs";
import { output } from "./process.mjs";
import { compare } from "./stats.mjs";

const DOCUMENTS = 1000;

export const title = "validate";
export const aim = "one file under 250 ms, 1,000 documents under 2 s";

export async function measure({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), "kserve-local-bench-"));
  try {
    const one = join(folder, "one.yaml");
    const many = join(folder, "many.yaml");
    writeFileSync(one, service(0));
    writeFileSync(many, Array.from({ length: DOCUMENTS }, (_, index) => service(index)).join("---\n"));
    return {
      "one file": await timings(one, quick ? 5 : 25),
      [`${DOCUMENTS} documents`]: await timings(many, quick ? 3 : 10),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function timings(file, turns) {
  const ours = [];
  const baseline = [];
  for (let turn = -1; turn < turns; turn += 1) {
    const [validated, nothing] = [await timed([bin, "validate", file]), await timed(["-e", "0"])];
    if (turn < 0) continue;
    ours.push(validated);
    baseline.push(nothing);
  }
  return { unit: "ms", ...compare(ours, baseline, 0), baselineIs: "node -e 0" };
}

async function timed(args) {
  const startedAt = performance.now();
  await output([process.execPath, ...args]);
  return performance.now() - startedAt;
}

/** With what services usually have. */
function service(index) {
  return `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: app-${index}
  labels: {team: blue}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/min-scale: "1"
        autoscaling.knative.dev/target: "50"
    spec:
      containerConcurrency: 80
      timeoutSeconds: 60
      containers:
      - image: registry.example.com/team/app:${index}
        ports: [{containerPort: 8080}]
        env:
        - {name: LEVEL, value: debug}
        - name: KEY
          valueFrom: {secretKeyRef: {name: keys, key: key}}
        resources: {limits: {cpu: "1", memory: 512Mi}}
        readinessProbe: {httpGet: {path: /healthz}}
  traffic:
  - {latestRevision: true, percent: 100}
`;
}
