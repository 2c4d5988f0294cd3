/** The little of XML that a manifest needs: attributes in the order given, escaped; durations and dates as XML Schema writes them. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

// Characters that XML 1.0 (2.2) cannot hold at all, not even escaped, and those that it advises against.
const impossible = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu;
const marks: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A reader would make plain spaces of these inside an attribute (3.3.3).
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** For text and attribute values alike. */
export const escapeXml = (text: string): string =>
  text.replace(impossible, ' ').replace(/[&<>"\t\n\r]/g, (mark) => marks[mark] ?? mark);

/** `content` is XML already; an element without any is closed at once. */
export const element = (name: string, attributes: Attributes, content = ''): string => {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) text += ` ${key}="${typeof value === 'number' ? value : escapeXml(value)}"`;
  }
  return content === '' ? `${text}/>\n` : `${text}>${content}</${name}>\n`;
};

/** Children on lines of their own. */
export const block = (name: string, attributes: Attributes, children: string): string => element(name, attributes, `\n${children}`);

/** xs:duration in seconds alone: whole microseconds, without trailing zeros. */
export const duration = (micros: number): string => `PT${trimmed(Math.max(0, Math.round(micros)) / 1e6)}S`;

export const trimmed = (seconds: number): string => seconds.toFixed(6).replace(/\.?0+$/, '');

export const dateTime = (wallMs: number): string => new Date(Math.round(wallMs)).toISOString();
