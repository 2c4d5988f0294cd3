/** As much XML as manifests use: elements, attributes, text. No entities but the five, no DTD, bounded depth and size. */

export type Element = { readonly name: string; readonly attributes: ReadonlyMap<string, string>; readonly children: readonly Element[]; readonly text: string };

type Open = { name: string; attributes: Map<string, string>; children: Element[]; text: string };

const deepest = 32;
const mostElements = 200_000;
const token = /<!--[^]*?-->|<\?[^]*?\?>|<!\[CDATA\[([^]*?)\]\]>|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const attribute = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

export const readXml = (text: string): { readonly root: Element | null; readonly complaint: string | null } => {
  const refuse = (complaint: string) => ({ root: null, complaint });
  const open: Open[] = [];
  let root: Element | null = null;
  let elements = 0;
  const close = (one: Open): void => {
    const parent = open.at(-1);
    if (parent) parent.children.push(one);
    else root = one;
  };
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length; ) {
    const next = text.indexOf('<', at);
    const between = text.slice(at, next < 0 ? text.length : next);
    const inside = open.at(-1);
    if (inside) inside.text += unescape(between);
    else if (between.trim() !== '') return refuse('text outside the root element');
    if (next < 0) break;
    token.lastIndex = next;
    const [whole, data, ending, name, attributes = '', single] = token.exec(text) ?? [];
    if (whole === undefined) return refuse(`no markup that is understood: "${text.slice(next, next + 40)}"`);
    at = next + whole.length;
    if (data !== undefined && inside) inside.text += data;
    if (ending !== undefined) {
      const closing = open.pop();
      if (closing?.name !== ending) return refuse(`</${ending}> closes <${closing?.name ?? 'nothing'}>`);
      close(closing);
    } else if (name !== undefined) {
      if (root) return refuse('a second root element');
      if ((elements += 1) > mostElements || open.length >= deepest) return refuse('too many elements, or too deep');
      const one: Open = { name, attributes: new Map(), children: [], text: '' };
      for (const [, key = '', double, simple] of attributes.matchAll(attribute)) {
        if (one.attributes.has(key)) return refuse(`the attribute ${key} stands twice in <${name}>`);
        one.attributes.set(key, unescape(double ?? simple ?? ''));
      }
      if (single === '/') close(one);
      else open.push(one);
    }
  }
  if (open.length > 0) return refuse(`<${open.at(-1)?.name}> is not closed`);
  return root ? { root, complaint: null } : refuse('no element');
};

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescape = (text: string): string => (text.includes('&') ? text.replace(/&(\w+);/g, (whole, name: string) => named[name] ?? whole) : text);

export const childrenOf = (parent: Element, name: string): Element[] => parent.children.filter((one) => one.name === name);
export const attributeOf = (of: Element, name: string): string | null => of.attributes.get(name) ?? null;
