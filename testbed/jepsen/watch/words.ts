/** Figures as a dashboard says them: short, and never wider than their column. */

/** 999, 1.2K, 12.5M, 125M: three digits at most. */
export function compact(value: number | bigint | undefined): string {
  if (value === undefined) return "-";
  let rest = Number(value);
  for (const unit of ["", "K", "M", "B", "T"]) {
    if (rest < 999.5 || unit === "T") return `${digits(rest, unit)}${unit}`;
    rest /= 1_000;
  }
  return "-";
}

function digits(value: number, unit: string): string {
  if (unit === "" || value >= 99.95) return value.toFixed(0);
  return value.toFixed(1);
}

/** A time since something began: tenths below a minute, then minutes and hours. */
export function since(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 60) return `+${seconds.toFixed(1)}s`;
  return `+${span(seconds)}`;
}

/** A length of time in whole seconds. */
export function span(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours}h${padded(minutes)}m${padded(whole % 60)}s`;
  return minutes > 0 ? `${minutes}m${padded(whole % 60)}s` : `${whole}s`;
}

function padded(value: number): string {
  return String(value).padStart(2, "0");
}

/** A bar that is full when nothing was to be done. */
export function bar(done: number, total: number, cells: number): string {
  const share = total <= 0 ? 1 : Math.min(1, Math.max(0, done / total));
  const full = Math.floor(share * cells);
  return `[${"#".repeat(full)}${".".repeat(cells - full)}]`;
}

/** A share with one decimal. */
export function percent(done: number, total: number): string {
  const share = total <= 0 ? 1 : Math.min(1, Math.max(0, done / total));
  return `${(100 * share).toFixed(1)}%`;
}

/** A text in so many columns, cut if need be. */
export function cut(text: string, columns: number): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return `${characters.slice(0, Math.max(0, columns - 1)).join("")}…`;
}
