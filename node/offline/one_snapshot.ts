import type { Disk } from "../disk.ts";
import { SNAPSHOT_FILE } from "../snapshot/store.ts";

/** A directory in which one file stands as the newest snapshot, and there is no other. */
export class OneSnapshot implements Disk {
  readonly #inner: Disk;
  readonly #name: string;

  /**
   * @param inner The directory.
   * @param name The file.
   */
  constructor(inner: Disk, name: string) {
    this.#inner = inner;
    this.#name = name;
  }

  list(): string[] {
    return [SNAPSHOT_FILE];
  }
  size(name: string): number | undefined {
    return name === SNAPSHOT_FILE ? this.#inner.size(this.#name) : undefined;
  }
  open(name: string): ReturnType<Disk["open"]> {
    return this.#inner.open(name === SNAPSHOT_FILE ? this.#name : name);
  }
  readAll(name: string): Uint8Array {
    return this.#inner.readAll(name === SNAPSHOT_FILE ? this.#name : name);
  }
  create(name: string, bytes: number): ReturnType<Disk["create"]> {
    return this.#inner.create(name, bytes);
  }
  rename(from: string, to: string): void {
    this.#inner.rename(from, to);
  }
  remove(name: string): void {
    this.#inner.remove(name);
  }
  syncDirectory(): void {
    this.#inner.syncDirectory();
  }
}
