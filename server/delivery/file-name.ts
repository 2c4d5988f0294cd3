/** Under which name a download is kept (RFC 6266): what was asked for with `?name=`, made harmless, or the video's id. */

const longest = 120;

/** What stands in a Content-Disposition: plain for whoever knows no better, and as it is written. */
export const attachment = (query: string, usual: string, ending: string): string => {
  const name = `${wished(query) ?? usual}${ending}`;
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  return plain === name ? `attachment; filename="${plain}"` : `attachment; filename="${plain}"; filename*=UTF-8''${encoded(name)}`;
};

const wished = (query: string): string | null => {
  const pair = query.split('&', 16).find((one) => one.startsWith('name='));
  if (pair === undefined) return null;
  try {
    return harmless(decodeURIComponent(pair.slice('name='.length).replaceAll('+', ' ')));
  } catch {
    // Escapes that mean nothing: no name.
    return null;
  }
};

/** Nothing that a disk, a shell or a reader takes for something else: paths, controls, signs that turn the writing around. */
const harmless = (text: string): string | null => {
  const clean = text.replace(/[\p{C}\p{Zl}\p{Zp}/\\:*?"<>|]/gu, ' ').replace(/\s+/g, ' ').replace(/^[\s.]+|[\s.]+$/g, '');
  const cut = Array.from(clean.normalize('NFC')).slice(0, longest).join('').trim();
  return cut === '' ? null : cut;
};

/** RFC 8187: what encodeURIComponent leaves alone, and a parameter may not hold. */
const encoded = (text: string): string => encodeURIComponent(text).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
