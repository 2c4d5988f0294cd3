/** Why a token that others signed is not taken: a code for programs each, and a sentence for people. */
export const foreignRefusals = {
  'jwt-malformed': 'This is not a signed token, or not all of one.',
  'jwt-unsigned': 'This token is not signed.',
  'jwt-algorithm': 'This token is signed with an algorithm that is not taken here.',
  'jwt-header': 'This token brings keys or conditions of its own, which are not taken from a token.',
  'jwt-key-unknown': 'This token names no key that is known here.',
  'jwt-signature': 'The signature of this token is wrong.',
  'jwt-issuer': 'This token was issued by somebody else.',
  'jwt-audience': 'This token is meant for somebody else.',
  'jwt-expired': 'This token has expired.',
  'jwt-not-yet': 'This token does not hold yet.',
  'jwt-claims': 'What this token says is missing something, or makes no sense.',
  'jwt-other-video': 'This token is for another video.',
} as const satisfies Record<string, string>;

export type ForeignRefusal = keyof typeof foreignRefusals;
