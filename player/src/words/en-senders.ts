/** What is said about encoders: where they send to, from where they may, and those who were not let in. English. */
export const enSenders = {
  'room.rtmps': 'Server, encrypted',
  'room.rtmps.hint': 'Takes the place of the server above, with the same key. The key is not readable on its way.',
} as const;
