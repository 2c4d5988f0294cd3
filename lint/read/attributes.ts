/** Attribute lists of playlist tags (RFC 8216bis, 4.2): NAME=value pairs, of which a value may be quoted. */

export type Attribute = { readonly text: string; readonly quoted: boolean };
export type Attributes = ReadonlyMap<string, Attribute>;

const nameAndValue = /([A-Z0-9-]+)=(?:"([^"\r\n]*)"|([^",\s]+))(,|$)/y;

export type ReadAttributes = { readonly attributes: Attributes; readonly complaint: string | null };

export const readAttributes = (text: string): ReadAttributes => {
  const attributes = new Map<string, Attribute>();
  let complaint: string | null = null;
  let at = 0;
  while (at < text.length) {
    nameAndValue.lastIndex = at;
    const [whole, name = '', quoted, plain, end] = nameAndValue.exec(text) ?? [];
    if (whole === undefined) {
      complaint = `no attribute at "${text.slice(at, at + 40)}"`;
      const comma = text.indexOf(',', at);
      if (comma < 0) break;
      at = comma + 1;
      continue;
    }
    if (attributes.has(name)) complaint = `${name} stands twice in one attribute list`;
    attributes.set(name, { text: quoted ?? plain ?? '', quoted: quoted !== undefined });
    at += whole.length;
    if (end === ',' && at === text.length) complaint = 'an attribute list ends with a comma';
  }
  return { attributes, complaint };
};

export const textOf = (attributes: Attributes, name: string): string | null => attributes.get(name)?.text ?? null;

/** A decimal-floating-point or decimal-integer; null: absent, or none. */
export const numberOf = (attributes: Attributes, name: string): number | null => {
  const found = attributes.get(name);
  return found && !found.quoted && /^-?\d{1,20}(\.\d{1,20})?$/.test(found.text) ? Number(found.text) : null;
};

export const isYes = (attributes: Attributes, name: string): boolean => textOf(attributes, name) === 'YES';
