/** Names come from people: section 4.2 allows neither quotes nor line ends in a quoted-string. */
export const quoted = (text: string): string => `"${text.replace(/["\p{Cc}\u2028\u2029]/gu, ' ').trim()}"`;
