/** Lines that wait to be written. */

const ENCODER = new TextEncoder();
/** So many characters are encoded at a time. */
const BLOCK_CHARACTERS = 65_536;

/** See the top of this file. */
export class TextBuffer {
  #text = "";
  #blocks: Uint8Array[] = [];
  #blockBytes = 0;

  get pendingBytes(): number {
    return this.#blockBytes + this.#text.length;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= BLOCK_CHARACTERS) this.#encode();
  }

  take(): Uint8Array<ArrayBuffer> {
    this.#encode();
    const bytes = new Uint8Array(this.#blockBytes);
    let at = 0;
    for (const block of this.#blocks) {
      bytes.set(block, at);
      at += block.length;
    }
    this.#blocks = [];
    this.#blockBytes = 0;
    return bytes;
  }

  #encode(): void {
    if (this.#text === "") return;
    const block = ENCODER.encode(this.#text);
    this.#text = "";
    this.#blocks.push(block);
    this.#blockBytes += block.length;
  }
}
