/** Sequence numbers of packets: 31 bits that wrap (draft-sharabayko-srt, 3.1). */
const turn = 2 ** 31;

export const after = (sequence: number, by = 1): number => (((sequence + by) % turn) + turn) % turn;

/** `a - b` as the nearest signed distance. */
export const distance = (a: number, b: number): number => {
  const ahead = after(a, -b);
  return ahead < turn / 2 ? ahead : ahead - turn;
};
