/** Results as lines of text for people: median with p10 to p90, and the ratio first. */

export function lines(results) {
  const rows = results.flatMap(({ name, result }) => rowsOf(name, result));
  const head = ["what", "ratio", "ours", "baseline", "difference"];
  const widths = head.map((text, column) =>
    Math.max(text.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
}

function rowsOf(name, result) {
  if (result.failed !== undefined) return [[name, `failed: ${result.failed.split("\n", 1)[0]}`]];
  if (result.skipped !== undefined) return [[name, `skipped: ${result.skipped}`]];
  if (result.rows !== undefined) return result.rows.flatMap((row) => warmRows(name, row));
  if (result.ratio === undefined)
    return Object.entries(result).flatMap(([kind, part]) => rowsOf(`${name}, ${kind}`, part));
  const extras = [
    ...Object.entries(result.stages ?? {}),
    ...(result.watchdog ? [["watchdog", result.watchdog]] : []),
  ];
  return [
    compared(`${name} against ${result.baselineIs}`, result, result.unit),
    ...extras.map(([what, figure]) => [`  ${what}`, "", spread(figure, result.unit)]),
  ];
}

function warmRows(name, row) {
  const where = `${name}, ${row.layout}, ${row.connections} connection${row.connections === 1 ? "" : "s"}`;
  return [
    ...["p50Ms", "p99Ms", "meanMs"]
      .filter((figure) => row[figure] !== undefined)
      .map((figure) => compared(`${where}: ${figure.slice(0, -2)}`, row[figure], "ms")),
    compared(`${where}: requests/s`, row.rps, ""),
    [`${where}: CPU per request`, "", spread(row.cpuMicrosecondsPerRequest, "µs")],
  ];
}

function compared(what, { ours, baseline, difference, ratio }, unit) {
  return [what, spread(ratio, "x"), spread(ours, unit), spread(baseline, unit), spread(difference, unit)];
}

function spread({ median, p10, p90 }, unit) {
  return `${median}${unit === "" ? "" : ` ${unit}`} (${p10} to ${p90})`;
}
