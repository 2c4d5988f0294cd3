/** Dates and durations of ISO 8601 as playlists and manifests write them. */

const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?$/;

/** ms since 1970; null: no date. One without a zone is taken for UTC. */
export const readDate = (text: string): number | null => {
  if (!date.test(text)) return null;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`;
  const ms = Date.parse(zoned.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(ms) ? null : ms;
};

const duration = /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{1,12})?)S)?)?$/;

/** Seconds; null: no duration, or one with months and years, whose length nobody knows. */
export const readDuration = (text: string): number | null => {
  const [whole, days, hours, minutes, seconds] = duration.exec(text) ?? [];
  if (whole === undefined || (days ?? hours ?? minutes ?? seconds) === undefined) return null;
  return Number(days ?? 0) * 86_400 + Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
};
