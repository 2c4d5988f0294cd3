/** Places in a video as they stand in addresses: `?t=90`, `?t=1h2m3s`, `?start=1:30`, `?in=60&out=90`. Pure. */
export const readTime = (text: string | null): number | null => {
  const trimmed = text?.trim().toLowerCase() ?? '';
  if (trimmed === '' || trimmed.length > 20) return null;
  const clock = /^(?:(\d+):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)$/.exec(trimmed);
  const units = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/.exec(trimmed);
  const [, hours, minutes, seconds] = clock ?? units ?? [];
  if (hours === undefined && minutes === undefined && seconds === undefined) return null;
  const time = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return Number.isFinite(time) && time < 1e9 ? time : null;
};

/** What an address asks for: where to begin, and which piece alone is to be played. */
export type Asked = { readonly start: number | null; readonly in: number | null; readonly out: number | null };

export const askedTimes = (search: string): Asked => {
  const query = new URLSearchParams(search);
  const from = readTime(query.get('in'));
  const to = readTime(query.get('out'));
  const sensible = to === null || to > (from ?? 0);
  return {
    start: readTime(query.get('t')) ?? readTime(query.get('start')),
    in: sensible ? from : null,
    out: sensible ? to : null,
  };
};

/** The same the other way round, as short as it can be: tenths are for cuts, a start is a whole second. */
export const timesQuery = ({ start, in: from, out: to }: Partial<Asked>): string => {
  const query = new URLSearchParams();
  if (start !== undefined && start !== null && start >= 1) query.set('t', String(Math.floor(start)));
  if (from !== undefined && from !== null && from > 0) query.set('in', String(Math.round(from * 10) / 10));
  if (to !== undefined && to !== null) query.set('out', String(Math.round(to * 10) / 10));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
};

/** A time to be read and typed: 1:02:03.4 with tenths only where there are some. */
export const typedTime = (seconds: number): string => {
  const tenths = Math.max(0, Math.round(seconds * 10));
  const whole = Math.floor(tenths / 10);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = `${two(whole % 60)}${tenths % 10 === 0 ? '' : `.${tenths % 10}`}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
};
