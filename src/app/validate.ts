/** `kserve-local validate`: the platform's verdict on files, and the fixes that are beyond doubt. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { judge, type SourceText } from "../manifest/judge.ts";
import { type FixedFile, type ValidationReport, validationReport } from "../report/validation-report.ts";
import { KserveLocalError, messageOf } from "../kernel/errors.ts";
import type { ProfileName } from "./platform-profile.ts";
import { readManifests } from "./read-manifests.ts";

export interface ValidateOptions {
  readonly paths: readonly string[];
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream;
  readonly profile: ProfileName;
  /** Warnings count as errors. */
  readonly strict: boolean;
  readonly showDefaults: boolean;
  /** `preview` fixes nothing and shows what would be fixed. */
  readonly fix: "no" | "preview" | "write";
}

export interface Validation {
  readonly report: ValidationReport;
  /** Of each file, as it is now. */
  readonly texts: ReadonlyMap<string, string>;
}

/** @throws KserveLocalError `manifest-not-found`, or `usage` where a fixed file can't be written */
export async function validate(options: ValidateOptions): Promise<Validation> {
  const { cwd, stdin } = options;
  const read = await readManifests(options.paths, { cwd, stdin });
  const { sources, fixes, unwritten } = options.fix === "no" ? { sources: read } : await fixed(read, options);
  const report = reportOn(sources, options);
  return {
    report: {
      ...report,
      ...(fixes === undefined ? {} : { fixes }),
      ...(unwritten === undefined ? {} : { afterFixes: reportOn(unwritten, options) }),
    },
    texts: new Map(sources.map(({ file, text }) => [file, textOf(text)])),
  };
}

function reportOn(sources: readonly SourceText[], options: ValidateOptions): ValidationReport {
  const files = sources.map(({ file }) => file);
  return validationReport(judge(sources, { profile: options.profile }), files, options);
}

interface Fixed {
  /** As they are now. */
  readonly sources: readonly SourceText[];
  readonly fixes?: readonly FixedFile[];
  /** As they would be, where some fixes have not been written. */
  readonly unwritten?: readonly SourceText[];
}

async function fixed(sources: readonly SourceText[], { cwd, profile, fix }: ValidateOptions): Promise<Fixed> {
  const [{ fixSources }, { unifiedDiff }] = await Promise.all([
    import("../manifest/fix/fix-text.ts"),
    import("../report/unified-diff.ts"),
  ]);
  const now = new Map(sources.map((source) => [source.file, source]));
  const then = new Map(now);
  const fixes: FixedFile[] = [];
  for (const { file, before, after, changes } of fixSources(sources, { profile })) {
    if (before === after) continue;
    const written = fix === "write" && file !== "<stdin>";
    if (written) {
      await write(path.resolve(cwd, file), after, file);
      now.set(file, { file, text: after });
    }
    then.set(file, { file, text: after });
    fixes.push({ file, changes, diff: unifiedDiff(before, after, file), written });
  }
  const pending = fixes.some(({ written }) => !written);
  return { sources: [...now.values()], fixes, ...(pending ? { unwritten: [...then.values()] } : {}) };
}

async function write(absolute: string, text: string, file: string): Promise<void> {
  try {
    await writeFile(absolute, text);
  } catch (error) {
    throw new KserveLocalError("usage", {
      what: `${file} cannot be written`,
      why: messageOf(error),
      fix: "Check the file's permissions, or see what would change with --fix --dry-run.",
      at: { file },
      cause: error,
    });
  }
}

/** For code frames: without the byte order mark, which no column counts. */
function textOf(text: SourceText["text"]): string {
  return (typeof text === "string" ? text : Buffer.from(text).toString("utf8")).replace(/^\ufeff/, "");
}
