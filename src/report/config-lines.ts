/** Settings as comments and objects as YAML, so that the whole stays a stream that kubectl reads. */

interface ShownSetting {
  readonly name: string;
  readonly value: string;
  readonly source: string;
  readonly from?: string;
  readonly note?: string;
}

/** `yaml` ends with a newline; `at` is where the object stands. */
export function configLines(
  settings: readonly ShownSetting[],
  objects: ReadonlyArray<{ readonly at: string; readonly yaml: string }>,
): string[] {
  // The platform's own settings are many: of those, only what differs from the default is news.
  const shown = settings.filter(({ name, source }) => source !== "default" || !name.startsWith("config-"));
  const hidden = settings.length - shown.length;
  return [
    ...table(shown).map((line) => `# ${line}`),
    `# and ${hidden} settings of the platform's ConfigMaps at their defaults (--output json lists them)`,
    ...(objects.length === 0 ? ["# no objects"] : []),
    ...objects.flatMap(({ at, yaml }) => ["---", `# ${oneLine(at)}`, ...yaml.trimEnd().split("\n")]),
  ];
}

function table(settings: readonly ShownSetting[]): string[] {
  const rows = settings.map(({ name, value, source, from, note }) => [
    oneLine(name),
    oneLine(value === "" ? "-" : value),
    `${from === undefined ? source : `${source} ${oneLine(from)}`}${note === undefined ? "" : ` (${note})`}`,
  ]);
  const widths = [0, 1].map((column) =>
    Math.min(48, Math.max(0, ...rows.map((row) => row[column]?.length ?? 0))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** A value with a newline would end the comment. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}
