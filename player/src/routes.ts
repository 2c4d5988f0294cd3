/** The pages and their addresses. Pure: what stands in the address bar in, the page that it means out. */
export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'channel'; readonly name: string }
  | { readonly page: 'watch'; readonly video: string }
  | { readonly page: 'embed'; readonly video: string }
  | { readonly page: 'studio' }
  | { readonly page: 'studio-videos' }
  | { readonly page: 'studio-upload' }
  | { readonly page: 'studio-channel'; readonly id: string }
  | { readonly page: 'setup' }
  | { readonly page: 'login' }
  | { readonly page: 'admin' }
  | { readonly page: 'admin-work' }
  | { readonly page: 'not-found' };

type Make = (part: string) => Route;

const fixed: Readonly<Record<string, Route>> = {
  '/': { page: 'home' },
  '/studio': { page: 'studio' },
  '/studio/videos': { page: 'studio-videos' },
  '/studio/upload': { page: 'studio-upload' },
  '/setup': { page: 'setup' },
  '/login': { page: 'login' },
  '/admin': { page: 'admin' },
  '/admin/work': { page: 'admin-work' },
};

const patterns: readonly (readonly [RegExp, Make])[] = [
  [/^\/@([^/]+)$/, (name) => ({ page: 'channel', name: name.toLowerCase() })],
  [/^\/watch\/([^/]+)$/, (video) => ({ page: 'watch', video })],
  [/^\/embed\/([^/]+)$/, (video) => ({ page: 'embed', video })],
  [/^\/studio\/channels\/([^/]+)$/, (id) => ({ page: 'studio-channel', id })],
];

const decoded = (part: string): string | null => {
  try {
    return decodeURIComponent(part);
  } catch {
    return null; // a half-typed %-escape names no page
  }
};

export const routeOf = (pathname: string): Route => {
  const path = pathname.length > 1 ? pathname.replace(/\/+$/, '') || '/' : pathname;
  const page = Object.hasOwn(fixed, path) ? fixed[path] : undefined;
  if (page) return page;
  for (const [pattern, make] of patterns) {
    const part = pattern.exec(path)?.[1];
    const name = part === undefined ? null : decoded(part);
    if (name !== null) return make(name);
  }
  return { page: 'not-found' };
};

export const paths = {
  home: '/',
  studio: '/studio',
  videos: '/studio/videos',
  upload: '/studio/upload',
  setup: '/setup',
  admin: '/admin',
  work: '/admin/work',
  channel: (name: string) => `/@${encodeURIComponent(name)}`,
  watch: (video: string) => `/watch/${encodeURIComponent(video)}`,
  studioChannel: (id: string) => `/studio/channels/${encodeURIComponent(id)}`,
  login: (next?: string) => (next ? `/login?next=${encodeURIComponent(next)}` : '/login'),
} as const;

/** Where to go after signing in. Only a path of this site: `//host` and `/\host` lead elsewhere in browsers. */
export const safeNext = (search: string): string => {
  const next = new URLSearchParams(search).get('next') ?? '';
  return /^\/(?![/\\])[^\s\\]*$/.test(next) ? next : paths.studio;
};

/** The one-time token stands in the hash, so that it never reaches a log: `#token=…` or the bare token. */
export const setupToken = (hash: string): string => {
  const text = hash.replace(/^#/, '');
  return new URLSearchParams(text).get('token') ?? (text.includes('=') ? '' : (decoded(text) ?? ''));
};
