/** What a person would call a player, from its User-Agent: the browser or program, and what it runs on. Pure. */
const programs: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bWhale\//, 'Whale'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Headless)?(?:Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bAppleCoreMedia\//, 'Apple'],
  [/\bVLC\//, 'VLC'],
  [/\b(?:Lavf|FFmpeg)\//, 'FFmpeg'],
  [/\bExoPlayer/, 'ExoPlayer'],
  [/\bSafari\//, 'Safari'],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\b(?:Tizen|Web0S|SmartTV|SMART-TV)\b/, 'TV'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'Mac'],
  [/\bLinux\b/, 'Linux'],
];

const firstOf = (table: readonly (readonly [RegExp, string])[], agent: string): string | null => table.find(([shape]) => shape.test(agent))?.[1] ?? null;

/** Null: it does not say. */
export const deviceName = (agent: string): string | null => {
  const known = [firstOf(programs, agent), firstOf(systems, agent)].filter((part) => part !== null);
  if (known.length > 0) return known.join(' · ');
  const first = /^[A-Za-z0-9 ._-]{1,40}/.exec(agent)?.[0].trim() ?? '';
  return first === '' ? null : first;
};
