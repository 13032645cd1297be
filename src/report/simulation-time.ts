/** Times on an axis and in a table: `45s`, `1m05s`, `2h05m`; below a minute with a fraction where there is one. */
export function compactTime(seconds: number): string {
  if (seconds < 59.95) return `${Math.round(seconds * 10) / 10}s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const small = rest === 0 ? "" : `${two(rest)}s`;
  if (hours === 0) return `${minutes}m${small}`;
  return minutes === 0 && rest === 0 ? `${hours}h` : `${hours}h${two(minutes)}m${small}`;
}

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400,
  172_800, 432_000,
];

/** The seconds between two marks of an axis of so many cells, none closer than `apart` cells. */
export function axisStep(seconds: number, cells: number, apart: number): number {
  return STEPS.find((step) => (step * cells) / seconds >= apart) ?? seconds;
}
