/** Numbers as people read them: the same everywhere, whatever the machine's locale. */

/** 12,345. */
export function grouped(count: number | bigint | string): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** Nanoseconds with a unit that fits: `840 µs`, `12.5 ms`, `3.20 s`. */
export function duration(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${threeDigits(ns / 1e3)} µs`;
  if (ns < 1e9) return `${threeDigits(ns / 1e6)} ms`;
  if (ns < 120e9) return `${threeDigits(ns / 1e9)} s`;
  return clock(ns);
}

/** Nanoseconds since the run began: `0.250 s`, `1:02:03.250`. */
export function moment(ns: number): string {
  return `${(ns / 1e9).toFixed(3)} s`;
}

/** `31m 02s`, `2h 05m 09s`. */
function clock(ns: number): string {
  const seconds = Math.round(ns / 1e9);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${String(minutes).padStart(hours > 0 ? 2 : 1, "0")}m ${
    String(seconds % 60).padStart(2, "0")
  }s`;
  return hours > 0 ? `${hours}h ${rest}` : rest;
}

/** `512 bytes`, `4.20 MB`; powers of ten. */
export function fileSize(bytes: number): string {
  if (bytes < 1e3) return `${bytes} bytes`;
  if (bytes < 1e6) return `${threeDigits(bytes / 1e3)} kB`;
  if (bytes < 1e9) return `${threeDigits(bytes / 1e6)} MB`;
  return `${threeDigits(bytes / 1e9)} GB`;
}

/** Three significant digits, never in powers of ten. */
function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `1 attempt`, `2 attempts`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${count === 1 ? noun.replace(/s$/, "") : noun}`;
}
