/** Why a grant opens nothing: a code for programs each, and a sentence for people. */
export const refusals = {
  'grant-malformed': 'This is not a grant, or not all of one.',
  'grant-key-unknown': 'This grant was signed with a key that is no longer, or never was, in use here.',
  'grant-signature': 'The signature of this grant is wrong: it was changed, or made elsewhere.',
  'grant-other-video': 'This grant is for another video.',
  'grant-other-channel': 'This grant is for another channel, or for a video alone.',
  'grant-other-audience': 'This grant is not for what is asked for here.',
  'grant-other-network': 'This grant is for viewers in another network.',
  'grant-other-device': 'This grant is for another device.',
  'grant-blocked': 'The rules of this grant keep viewers at this address out.',
  'grant-not-yet': 'This grant does not open anything yet.',
  'grant-expired': 'This grant has expired. Ask for the video’s addresses again: they hold a new one.',
  'grant-revoked': 'This grant has been taken back.',
  'grant-void': 'Whoever made this grant may not give this video to anybody any more.',
  'too-many-streams': 'This account is watching on as many devices as it may. Stop one of them first.',
  'stream-stopped': 'This was stopped from another device. It goes on here when somebody begins it here again.',
} as const satisfies Record<string, string>;

export type RefusalCode = keyof typeof refusals;

export const isRefusal = (code: string): code is RefusalCode => Object.hasOwn(refusals, code);
