/** One byte range of RFC 9110, 14.2. More than one, or anything that is not understood, is answered whole. */
export type RangeVerdict =
  | { readonly kind: 'whole' }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'part'; readonly from: number; readonly to: number };

const whole = { kind: 'whole' } as const;
const unsatisfiable = { kind: 'unsatisfiable' } as const;
const single = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** `to` is exclusive. */
export const judgeRange = (header: string | undefined, length: number): RangeVerdict => {
  const found = header === undefined ? null : single.exec(header);
  const [first = '', last = ''] = found?.slice(1) ?? [];
  if (!found || (first === '' && last === '')) return whole;
  if (first === '') {
    const suffix = Number(last);
    return suffix === 0 || length === 0 ? unsatisfiable : { kind: 'part', from: Math.max(0, length - suffix), to: length };
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return whole;
  if (from >= length) return unsatisfiable;
  return { kind: 'part', from, to: last === '' ? length : Math.min(length, Number(last) + 1) };
};
