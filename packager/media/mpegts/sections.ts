/** Sections (ISO 13818-1, 2.4.4) out of the packets of one PID: several in a packet, or one over many. */

/** private_section: 12 bits of length behind three bytes. */
const largestSection = 3 + 4093;
const stuffing = 0xff;
const nothing = Buffer.alloc(0);

export class SectionReader {
  #open: Buffer = nothing;

  /** Holds at most one section and a packet. The CRC is for whoever knows the table. */
  read(payload: Buffer, start: boolean, take: (section: Buffer) => void): void {
    if (!start) {
      if (this.#open.length > 0) this.#add(payload, take);
      return;
    }
    // 2.4.4.1: so many bytes still belong to the section before.
    const pointer = 1 + (payload[0] ?? 0);
    if (this.#open.length > 0) this.#add(payload.subarray(1, pointer), take);
    this.#open = nothing;
    this.#add(payload.subarray(pointer), take);
  }

  gap(): void {
    this.#open = nothing;
  }

  #add(bytes: Buffer, take: (section: Buffer) => void): void {
    let open = this.#open.length === 0 ? bytes : Buffer.concat([this.#open, bytes]);
    this.#open = nothing;
    while (open.length > 0 && open[0] !== stuffing) {
      if (open.length < 3) break;
      const size = 3 + (open.readUInt16BE(1) & 0xfff);
      if (size > largestSection) return;
      if (open.length < size) break;
      take(open.subarray(0, size));
      open = open.subarray(size);
    }
    if (open[0] !== stuffing) this.#open = open;
  }
}
